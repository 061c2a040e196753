//! The issues that keep a pod from becoming ready. Pure.

use pintle_core::workload::PodIssue;

use super::objects::{ConditionObject, ContainerStateTerminated, ContainerStatus, PodStatus};

/// The maximum length of a message; containers write their own last message.
const MAX_ISSUE_CHARS: usize = 400;
/// The maximum length of kubelet's messages, which repeat the image up to six times before the cause.
const MAX_KUBELET_MESSAGE_CHARS: usize = 3000;

/// Reasons to wait that are normal.
const ORDINARY_WAITING_REASONS: &[&str] = &["", "ContainerCreating", "PodInitializing"];

/// Returns the issues of a pod: waiting containers first, then failed ones, then those of the pod as a whole.
pub(super) fn pod_issues(status: &PodStatus) -> Vec<PodIssue> {
    let containers = || status.init_container_statuses.iter().chain(&status.container_statuses).flatten();
    let mut troubles: Vec<_> = containers().filter_map(waiting).collect();
    troubles.extend(containers().filter_map(ended));
    troubles.extend(status.conditions.iter().flatten().filter_map(unscheduled));
    troubles.extend(status.reason.as_deref().map(|reason| of_pod(reason, status.message.as_deref())));
    troubles
}

fn waiting(status: &ContainerStatus) -> Option<PodIssue> {
    let state = status.state.as_ref()?.waiting.as_ref()?;
    let reason = state.reason.clone().unwrap_or_default();
    if ORDINARY_WAITING_REASONS.contains(&reason.as_str()) {
        return None;
    }
    // kubelet's message on a crash loop is only the back-off; the last termination explains more.
    let last = status.last_state.as_ref().and_then(|last| last.terminated.as_ref());
    let message = last.filter(|_| reason == "CrashLoopBackOff").map(last_words);
    let message = message.or_else(|| state.message.clone()).unwrap_or_default();
    Some(of_container(status, reason, &message))
}

fn ended(status: &ContainerStatus) -> Option<PodIssue> {
    let state = status.state.as_ref()?.terminated.as_ref().filter(|state| state.exit_code.unwrap_or(0) != 0)?;
    let reason = state.reason.clone().unwrap_or_else(|| "Error".to_owned());
    Some(of_container(status, reason, &last_words(state)))
}

fn unscheduled(condition: &ConditionObject) -> Option<PodIssue> {
    let is_it = condition.kind.as_deref() == Some("PodScheduled") && condition.status.as_deref() == Some("False");
    is_it.then(|| of_pod(condition.reason.as_deref().unwrap_or("Unschedulable"), condition.message.as_deref()))
}

fn of_container(status: &ContainerStatus, reason: String, message: &str) -> PodIssue {
    let restarts = status.restart_count.unwrap_or(0);
    PodIssue {
        container: Some(status.name.clone()),
        reason,
        message: cut(message, MAX_KUBELET_MESSAGE_CHARS),
        restarts,
    }
}

fn of_pod(reason: &str, message: Option<&str>) -> PodIssue {
    PodIssue {
        container: None,
        reason: reason.to_owned(),
        message: cut(message.unwrap_or_default(), MAX_ISSUE_CHARS),
        restarts: 0,
    }
}

fn last_words(state: &ContainerStateTerminated) -> String {
    let code = state.exit_code.unwrap_or_default();
    let reason = match state.reason.as_deref() {
        None | Some("" | "Error") => String::new(),
        Some(reason) => format!(" ({reason})"),
    };
    let message = state.message.as_deref().map(str::trim).filter(|message| !message.is_empty());
    let message = message.map(|message| format!(": {message}")).unwrap_or_default();
    cut(&format!("exit code {code}{reason}{message}"), MAX_ISSUE_CHARS)
}

fn cut(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
