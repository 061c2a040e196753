//! Translates answers of the API server, and their absence, into cluster errors. Pure.

use std::error::Error as _;

use kube::Error;
use kube::core::Status;
use pintle_core::workload::{WorkloadId, may_take_field_from};

use crate::cluster::ClusterError;

/// Translates the error of a read.
pub(super) fn read_error(server: &str, error: &Error) -> ClusterError {
    match error {
        Error::Api(status) if status.code == 401 => unauthorized(server),
        Error::Api(status) if status.code == 403 => ClusterError::Forbidden(status.message.clone()),
        Error::Api(status) => no_answer_error(server, &status_message(status)),
        Error::Auth(_) => ClusterError::ConnectionConfig(format!("{server}: {}", innermost_cause(error))),
        _ => no_answer_error(server, &innermost_cause(error)),
    }
}

/// Translates the error of a write. A field manager conflict names the first manager that Pintle does not take over
/// from.
pub(super) fn write_error(server: &str, id: &WorkloadId, error: &Error) -> ClusterError {
    let Error::Api(status) = error else { return read_error(server, error) };
    let id = id.clone();
    let message = status_message(status);
    match status.code {
        401 => unauthorized(server),
        404 => ClusterError::NotFound(id),
        409 => match conflicts(status).into_iter().next() {
            Some((manager, _)) => ClusterError::FieldOwned { id, field_manager: manager },
            // The uid precondition failed: the object was replaced or deleted.
            None if message.contains("UID") || message.contains("uid mismatch") => ClusterError::NotFound(id),
            None => ClusterError::Conflict(id),
        },
        422 if has_cause(status, "metadata.uid") => ClusterError::NotFound(id),
        403 if !by_admission(&message) => ClusterError::Forbidden(message),
        // A failing webhook concerns this object, not the API server.
        500 if message.contains("webhook") => ClusterError::Rejected { id, message },
        429 | 500.. => no_answer_error(server, &message),
        _ => ClusterError::Rejected { id, message },
    }
}

/// Translates the error of an ownership dry run: who owns the images, or that no write is possible. Rejections of the
/// fictitious images themselves are ignored.
pub(super) fn dry_run_error(server: &str, id: &WorkloadId, error: &Error) -> Result<(), ClusterError> {
    if let Error::Api(status) = error {
        let mut others = conflicts(status).into_iter().filter(|(name, applied)| !may_take_field_from(name, *applied));
        if let Some((manager, _)) = others.next() {
            return Err(ClusterError::FieldOwned { id: id.clone(), field_manager: manager });
        }
        if !conflicts(status).is_empty() {
            return Ok(());
        }
    }
    match write_error(server, id, error) {
        ClusterError::Rejected { .. } => Ok(()),
        error => Err(error),
    }
}

/// Builds the error for a missing answer.
pub(super) fn no_answer_error(server: &str, why: &str) -> ClusterError {
    ClusterError::Unreachable(format!("{server}: {why}"))
}

/// Returns whether a watch must start over because its resource version has expired.
pub(super) fn is_gone(status: &Status) -> bool {
    status.code == 410 || status.reason == "Expired"
}

/// Returns whether the server does not support streaming lists.
pub(super) fn lacks_streaming_lists(status: &Status) -> bool {
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
fn status_message(status: &Status) -> String {
    let line = status.message.lines().next().unwrap_or_default();
    let line: String = line.chars().take(500).collect();
    let is_page = status.status.is_none() || status.reason == "Failed to parse error data";
    if is_page || line.is_empty() { format!("status {}: {line}", status.code) } else { line }
}

/// Returns the innermost cause, which is the specific one: `Connection refused`.
fn innermost_cause(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = cause.to_string();
        source = cause.source();
    }
    text
}
