//! What is read, from each kind of file.

use super::*;

#[test]
fn a_service_file_is_enough() {
    assert_eq!(Revision::new().pins(), "web 1.8.2 ghcr.io/acme/web:1.8.2");
    assert_eq!(Revision::new().problems(), "");
}
