//! What goes back, how far, with whom, and why. It decides; landing the commit is for others.
//!
//! A service goes back by a *move*: from what is pinned at the tip to an earlier pin of its own. Services are meant by
//! their numbers in the [`Graph`](crate::graph::Graph) inside, and by their names in what comes out.

mod closure;
mod config;
mod earlier;
mod edits;
mod evidence;
mod input;
mod member;
mod message;
mod reapply;
mod reason;
mod refusal;
mod request;
mod running;
mod search;
mod targets;
#[cfg(test)]
mod tests;

pub use config::{ConfigRefusal, ConfigRevert, Merge, revert_config};
pub use edits::{EarlierFiles, ReadFiles, RestoreError, earlier_revision, restores};
pub use evidence::unseen_pairs;
pub use input::RollbackInput;
pub use member::{Member, Revert};
pub use message::{RevertedCommit, RollbackMessage, exactly_reverted_commit, undoes_exactly};
pub use reapply::{UndoneRollback, moved_by, newest_rollback, taken_back_last};
pub use reason::{MemberReason, Objection, SkipReason, Skipped, Unmet};
pub use refusal::{ClosureConflict, Direction, NotAdoptable, OrderWait, RollbackError};
pub use request::{HoldPolicy, Request, RollbackTarget};

use crate::graph::version_order;
use crate::pins::{HeldVersions, ServiceName};

/// Decides what goes back.
///
/// # Errors
/// Where a target does not exist or may not run, or no set of moves fits: what stands in the way.
pub fn plan_revert(input: RollbackInput<'_>, request: &Request, holding: HoldPolicy) -> Result<Revert, RollbackError> {
    // 1. What is asked for, and where to.
    let targets = targets::resolve_targets(input, request)?;
    // 2. What has to go with it: the smallest set that fits and has an order.
    let closure = closure::find_closure(input, &targets.moves).map_err(|refusal| match request {
        Request::Reapply(_) => refusal.going_forward(&targets.skipped),
        Request::Services(..) | Request::All(_) | Request::Moved(_) => refusal,
    })?;
    // 3. What is held from then on.
    let holds = match request {
        Request::Services(..) => holds(input, &closure.members, holding),
        Request::All(_) | Request::Moved(_) | Request::Reapply(_) => Vec::new(),
    };
    let closure::Closure { members, unmet_elsewhere: elsewhere, is_exhaustive: complete } = closure;
    // What was left where it is may have to come along.
    let stays = |skipped: &Skipped| members.iter().all(|member| member.service != skipped.service);
    let skipped = targets.skipped.into_iter().filter(stays).collect();
    Ok(Revert { members, skipped, elsewhere, holds, complete })
}

fn holds(input: RollbackInput<'_>, members: &[Member], holding: HoldPolicy) -> Vec<(ServiceName, HeldVersions)> {
    let hold = |member: &Member| {
        let held = match holding {
            HoldPolicy::Above => HeldVersions::Above(member.to.version.clone()),
            HoldPolicy::Version => HeldVersions::Versions(format!("={}", member.from.version).parse().ok()?),
            HoldPolicy::None => return None,
        };
        let service = input.pins.services.get(&member.service)?;
        let Some(has) = &service.hold else { return Some((member.service.clone(), held)) };
        let both = held.union(&has.versions, &version_order(service, input.history)).unwrap_or(held);
        (both != has.versions).then(|| (member.service.clone(), both))
    };
    members.iter().filter(|member| member.why == MemberReason::Asked).filter_map(hold).collect()
}
