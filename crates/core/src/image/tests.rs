//! Parsing, comparison and printing of image references.

use proptest::prelude::*;

use super::*;

fn image(text: &str) -> Image {
    text.parse().unwrap()
}

#[test]
fn names_get_registry_and_folder_and_print_without_them() {
    for (written, repository, printed) in [
        ("nginx", "docker.io/library/nginx", "nginx"),
        ("nginx:1.27", "docker.io/library/nginx", "nginx:1.27"),
        ("docker.io/nginx:1.27", "docker.io/library/nginx", "nginx:1.27"),
        ("index.docker.io/library/nginx", "docker.io/library/nginx", "nginx"),
        ("acme/web:1", "docker.io/acme/web", "acme/web:1"),
        ("ghcr.io/acme/checkout:1.8.2", "ghcr.io/acme/checkout", "ghcr.io/acme/checkout:1.8.2"),
        ("GHCR.io/acme/checkout", "ghcr.io/acme/checkout", "ghcr.io/acme/checkout"),
        ("localhost/web", "localhost/web", "localhost/web"),
        ("docker.io/localhost/web", "docker.io/localhost/web", "docker.io/localhost/web"),
        ("registry:5000/web", "registry:5000/web", "registry:5000/web"),
        ("[::1]:5000/web:2", "[::1]:5000/web", "[::1]:5000/web:2"),
        ("a/b__c/d--e.f:x", "docker.io/a/b__c/d--e.f", "a/b__c/d--e.f:x"),
    ] {
        assert_eq!((image(written).repository(), image(written).to_string().as_str()), (repository, printed));
    }
}

#[test]
fn equal_normal_forms_are_equal_images() {
    assert_eq!(image("nginx"), image("docker.io/library/nginx:latest"));
    assert_eq!(image("nginx").cmp(&image("nginx:latest")), Ordering::Equal);
    assert_ne!(image("nginx"), image("nginx:1.27"));
    let digest = format!("sha256:{}", "a".repeat(64));
    assert_ne!(image(&format!("nginx@{digest}")), image(&format!("nginx:latest@{digest}")));
}

#[test]
fn two_images_are_told_apart_by_the_parts_that_differ() {
    let digest = |digit: &str| format!("sha256:{}", digit.repeat(64));
    let (a, b) = (digest("a"), digest("b"));
    for (one, other, shown) in [
        ("ghcr.io/old/x:1.2", "ghcr.io/new/x:1.2", ["ghcr.io/old/x:1.2", "ghcr.io/new/x:1.2"]),
        (&format!("old/x:1.2@{a}"), &format!("new/x:1.2@{a}"), ["old/x:1.2", "new/x:1.2"]),
        (&format!("old/x:1.2@{a}"), "new/x:1.2", ["old/x:1.2@sha256:aaaaaaaaaaaa", "new/x:1.2"]),
        (&format!("x:1.2@{a}"), &format!("x:1.2@{b}"), ["1.2@sha256:aaaaaaaaaaaa", "1.2@sha256:bbbbbbbbbbbb"]),
        ("x:1.2", &format!("x:1.2@{b}"), ["1.2", "1.2@sha256:bbbbbbbbbbbb"]),
        (&format!("x@{a}"), "x", ["sha256:aaaaaaaaaaaa", "latest"]),
        (&format!("x@{a}"), &format!("x:1@{a}"), ["sha256:aaaaaaaaaaaa", "1"]),
        ("x:1.2", "x:1.2-alpine", ["1.2", "1.2-alpine"]),
    ] {
        assert_eq!(Image::distinguish(&image(one), &image(other)), shown);
    }
    let alike = ["b", "c"].map(|last| format!("{}{last}", &a[..a.len() - 1]));
    let images = alike.each_ref().map(|digest| image(&format!("x:1@{digest}")));
    assert_eq!(Image::distinguish(&images[0], &images[1]), alike.map(|digest| format!("1@{digest}")));
}

#[test]
fn a_colon_is_a_port_before_the_last_slash_and_a_tag_after_it() {
    assert_eq!(image("localhost:5000/web").tag(), None);
    assert_eq!(image("localhost:5000/web:1").tag(), Some("1"));
    assert_eq!(image("web:5000").tag(), Some("5000"));
}

#[test]
fn what_is_wrong_is_named() {
    let long = format!("web:{}", "1".repeat(129));
    for (text, error) in [
        ("", "there is no repository in it"),
        (":1", "there is no repository in it"),
        ("ghcr.io/", "there is no repository in it"),
        ("web:", "`` is not a tag"),
        ("web:1 2", "`1 2` is not a tag"),
        ("web:1;rm -rf", "`1;rm -rf` is not a tag"),
        ("web:-1", "`-1` is not a tag"),
        ("web:1\n", "`1\\n` is not a tag"),
        (long.as_str(), "is not a tag: up to 128"),
        ("ghcr.io/Acme/web", "`Acme` is not a repository name"),
        ("Acme/web", "`Acme` is not a repository name"),
        ("Web", "`Web` is not a repository name"),
        ("acme//web", "`` is not a repository name"),
        ("acme/-web", "`-web` is not a repository name"),
        ("a.-b/web", "`a.-b` is not a registry host"),
        ("host:port/web", "`host:port` is not a registry host"),
        ("web@md5:00", "`md5` is not a digest algorithm"),
        ("web@sha256:00", "a sha256 digest has 64 digits of 0-9 and a-f, this one is `00`"),
        ("web@sha512:A", "a sha512 digest has 128 digits"),
    ] {
        let message = text.parse::<Image>().unwrap_err().to_string();
        assert!(message.contains(error), "{text:?}: {message}");
    }
    assert_eq!(format!("a/{}", "b".repeat(254)).parse::<Image>(), Err(ImageError::LongRepository(266)));
}

#[test]
fn an_image_is_put_together_from_checked_parts() {
    let digest = format!("sha256:{}", "0".repeat(64));
    let rendered = Image::from_parts("ghcr.io/acme/web", "1.8.2", Some(&digest)).unwrap();
    assert_eq!(rendered.to_string(), format!("ghcr.io/acme/web:1.8.2@{digest}"));
    assert_eq!(rendered.digest().unwrap().as_str(), digest);
    assert!(matches!(Image::from_parts("acme/web:1", "2", None), Err(ImageError::Path(_))));
}

proptest! {
    #[test]
    fn what_is_read_prints_to_what_reads_the_same(text in r"([a-zA-Z.:\[\]-]{1,9}/)?[a-z._/-]{1,12}(:[\w.-]{0,5})?") {
        if let Ok(image) = text.parse::<Image>() {
            prop_assert_eq!(image.to_string().parse::<Image>(), Ok(image.clone()));
            let json = serde_json::to_string(&image).unwrap();
            prop_assert_eq!(serde_json::from_str::<Image>(&json).unwrap(), image);
        }
    }

    #[test]
    fn no_text_panics(text: String) {
        let _ = text.parse::<Image>();
    }
}
