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
pub use index::Index;
pub use land::{
    Beside, Destination, Identity, LandError, Landed, Landing, Message, Origin, Outcome, Overtaken, Proposed,
    SentChanges, branch_name, change_id, race,
};
pub use location::Location;
pub use merge::merge;
pub use open::find_root;
pub use repository::{Below, Source};
pub use resolve::Relation;
pub use tree::Scope;
pub use url::Url;
