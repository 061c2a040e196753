//! A Git revision and its files, and the index of each service's pins through history: gix reads, nothing is checked out.
//! And the way back: one commit, landed and pushed ([`Landing`]).

mod contents;
mod credentials;
mod error;
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
mod resolve;
mod store;
mod tree;
mod url;
mod walk;
mod worktree;

pub use error::{Reach, SourceError};
pub use index::Index;
pub use land::{Beside, Identity, LandError, Landed, Landing, Message, Origin, Proposed, change_id};
pub use location::Location;
pub use merge::merge;
pub use open::{Access, Below, Credentials, Source, find_root};
pub use resolve::Relation;
pub use tree::Scope;
pub use url::Url;
