//! Translates answers of the API server, and their absence, into cluster errors. Pure.

use std::error::Error as _;

use kube::Error;
use kube::core::Status;
use pintle_core::workload::{WorkloadId, may_take_over};

use crate::cluster::ClusterError;

/// Translates the error of a read.
pub(super) fn of_read(server: &str, error: &Error) -> ClusterError {
    match error {
        Error::Api(status) if status.code == 401 => unauthorized(server),
        Error::Api(status) if status.code == 403 => ClusterError::Forbidden(status.message.clone()),
        Error::Api(status) => no_answer(server, &words(status)),
        Error::Auth(_) => ClusterError::Config(format!("{server}: {}", root(error))),
        _ => no_answer(server, &root(error)),
    }
}

/// Translates the error of a write. A field manager conflict names the first manager that Pintle does not take over
/// from.
pub(super) fn of_write(server: &str, id: &WorkloadId, error: &Error) -> ClusterError {
    let Error::Api(status) = error else { return of_read(server, error) };
    let id = id.clone();
    let message = words(status);
    match status.code {
        401 => unauthorized(server),
        404 => ClusterError::Missing(id),
        409 => match conflicts(status).into_iter().next() {
            Some((manager, _)) => ClusterError::Owned { id, manager },
            // The uid precondition failed: the object was replaced or deleted.
            None if message.contains("UID") || message.contains("uid mismatch") => ClusterError::Missing(id),
            None => ClusterError::Stale(id),
        },
        422 if has_cause(status, "metadata.uid") => ClusterError::Missing(id),
        403 if !by_admission(&message) => ClusterError::Forbidden(message),
        // A failing webhook concerns this object, not the API server.
        500 if message.contains("webhook") => ClusterError::Refused { id, message },
        429 | 500.. => no_answer(server, &message),
        _ => ClusterError::Refused { id, message },
    }
}

/// Translates the error of an ownership dry run: who owns the images, or that no write is possible. Rejections of the
/// fictitious images themselves are ignored.
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

/// Builds the error for a missing answer.
pub(super) fn no_answer(server: &str, why: &str) -> ClusterError {
    ClusterError::Unreachable(format!("{server}: {why}"))
}

/// Returns whether a watch must start over because its resource version has expired.
pub(super) fn is_gone(status: &Status) -> bool {
    status.code == 410 || status.reason == "Expired"
}

/// Returns whether the server does not support streaming lists.
pub(super) fn knows_no_streaming(status: &Status) -> bool {
    (status.code == 422 || status.code == 400) && status.message.contains("sendInitialEvents")
}

/// Returns whether a 403 comes from admission. It then concerns the object, not permissions.
fn by_admission(message: &str) -> bool {
    message.contains("admission") || message.contains("exceeded quota") || !message.contains(" cannot ")
}

fn has_cause(status: &Status, field: &str) -> bool {
    status.details.iter().flat_map(|details| &details.causes).any(|cause| cause.field == field)
}

/// Returns the managers in conflict over an image field, and whether each applied it.
///
/// Causes read `conflict with "kubectl-set" using apps/v1 at …`; only writes by other means than apply have a `using`.
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

/// Returns the server's message. Of a proxy's error page, only the first line is kept.
fn words(status: &Status) -> String {
    let line = status.message.lines().next().unwrap_or_default();
    let line: String = line.chars().take(500).collect();
    let is_page = status.status.is_none() || status.reason == "Failed to parse error data";
    if is_page || line.is_empty() { format!("status {}: {line}", status.code) } else { line }
}

/// Returns the innermost cause, which is the specific one: `Connection refused`.
fn root(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = cause.to_string();
        source = cause.source();
    }
    text
}
