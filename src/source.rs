//! Reads revisions of the pin repository and indexes its pin history. gix reads objects directly; nothing is checked
//! out.
//! The way back is a single commit that lands on a branch and is pushed ([`Landing`]).

mod access;
mod contents;
mod credentials;
mod error;
mod fetch;
mod index;
mod land;
mod location;
mod merge;
mod mirror;
mod object_id;
mod open;
mod process;
mod quarantine;
mod remote;
mod repository;
mod resolve;
mod store;
mod tree;
mod undo;
mod url;
mod walk;
mod worktree;

pub use access::{Access, Credentials};
pub use error::{Reach, SourceError};
pub use index::HistoryIndex;
pub use land::{
    Beside, CloneOrigin, CommitIdentity, CommitMessage, Destination, LandError, LandedCommit, Landing, Outcome,
    Overtaken, PushedProposal, SentChanges, branch_name, change_id, race,
};
pub use location::RepositoryLocation;
pub use merge::three_way_merge;
pub use open::find_root;
pub use repository::{Below, Source};
pub use resolve::TipRelation;
pub use tree::FileScope;
pub use url::RemoteUrl;
