//! Answers of the API server, and their absence, in Pintle's words. Pure.

use std::error::Error as _;

use kube::Error;
use kube::core::Status;
use pintle_core::workload::{WorkloadId, may_take_over};

use crate::cluster::ClusterError;

/// What a failed read says.
pub(super) fn of_read(server: &str, error: &Error) -> ClusterError {
    match error {
        Error::Api(status) if status.code == 401 => unauthorized(server),
        Error::Api(status) if status.code == 403 => ClusterError::Forbidden(status.message.clone()),
        Error::Api(status) => no_answer(server, &words(status)),
        Error::Auth(_) => ClusterError::Config(format!("{server}: {}", root(error))),
        _ => no_answer(server, &root(error)),
    }
}

/// What a failed write says. A conflict of field managers names the first that Pintle does not take over from.
pub(super) fn of_write(server: &str, id: &WorkloadId, error: &Error) -> ClusterError {
    let Error::Api(status) = error else { return of_read(server, error) };
    let id = id.clone();
    let message = words(status);
    match status.code {
        401 => unauthorized(server),
        404 => ClusterError::Missing(id),
        409 => match conflicts(status).into_iter().next() {
            Some((manager, _)) => ClusterError::Owned { id, manager },
            // The precondition of an object of that name that is another one, or none.
            None if message.contains("UID") || message.contains("uid mismatch") => ClusterError::Missing(id),
            None => ClusterError::Stale(id),
        },
        422 if has_cause(status, "metadata.uid") => ClusterError::Missing(id),
        403 if !by_admission(&message) => ClusterError::Forbidden(message),
        // A webhook that does not answer concerns this object, not the API server.
        500 if message.contains("webhook") => ClusterError::Refused { id, message },
        429 | 500.. => no_answer(server, &message),
        _ => ClusterError::Refused { id, message },
    }
}

/// What the failure of a dry run over other images says: who owns them, or that nothing can be written at all. What is
/// wrong with those images is of no interest.
pub(super) fn of_question(server: &str, id: &WorkloadId, error: &Error) -> Result<(), ClusterError> {
    if let Error::Api(status) = error {
        let mut others = conflicts(status).into_iter().filter(|(name, applied)| !may_take_over(name, *applied));
        if let Some((manager, _)) = others.next() {
            return Err(ClusterError::Owned { id: id.clone(), manager });
        }
        if !conflicts(status).is_empty() {
            return Ok(());
        }
    }
    match of_write(server, id, error) {
        ClusterError::Refused { .. } => Ok(()),
        error => Err(error),
    }
}

/// No answer in time.
pub(super) fn no_answer(server: &str, why: &str) -> ClusterError {
    ClusterError::Unreachable(format!("{server}: {why}"))
}

/// Whether a watch has to start over because the server has forgotten where it was.
pub(super) fn is_gone(status: &Status) -> bool {
    status.code == 410 || status.reason == "Expired"
}

/// Whether the server does not know streaming lists.
pub(super) fn knows_no_streaming(status: &Status) -> bool {
    (status.code == 422 || status.code == 400) && status.message.contains("sendInitialEvents")
}

/// Whether a 403 is an admission plugin's: then it is about the object, not about rights.
fn by_admission(message: &str) -> bool {
    message.contains("admission") || message.contains("exceeded quota") || !message.contains(" cannot ")
}

fn has_cause(status: &Status, field: &str) -> bool {
    status.details.iter().flat_map(|details| &details.causes).any(|cause| cause.field == field)
}

/// Managers that own a field that was applied, and whether they applied it, from `conflict with "kubectl-set" using
/// apps/v1 at …`: only what was written by other means than apply has a `using`.
fn conflicts(status: &Status) -> Vec<(String, bool)> {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    let manager = |message: &str| {
        let name = message.split('"').nth(1)?;
        Some((name.to_owned(), !message.contains(" using ")))
    };
    causes
        .filter(|cause| cause.reason == "FieldManagerConflict" && cause.field.contains("].image"))
        .filter_map(|cause| manager(&cause.message))
        .collect()
}

fn unauthorized(server: &str) -> ClusterError {
    ClusterError::Forbidden(format!("{server} does not accept the credentials"))
}

/// Its message; the first line where it is a page of a proxy.
fn words(status: &Status) -> String {
    let line = status.message.lines().next().unwrap_or_default();
    let line: String = line.chars().take(500).collect();
    let is_page = status.status.is_none() || status.reason == "Failed to parse error data";
    if is_page || line.is_empty() { format!("status {}: {line}", status.code) } else { line }
}

/// The innermost cause, which names the thing: `Connection refused`.
fn root(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = cause.to_string();
        source = cause.source();
    }
    text
}
