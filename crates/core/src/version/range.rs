//! Ranges: the versions of a provider that a consumer accepts.

use std::{str::FromStr, sync::Arc};

use serde::Deserialize;

use super::bound::{BoundTest, RangeBound, conflicting_bounds};
use super::notation::{self, JOINTS_HINT};
use super::range_error::RangeError;
use super::{Version, VersionOrder, Versioning};

/// The versions of a provider that a consumer accepts. A range is parsed once. The provider's [`VersionOrder`] compares the
/// versions with its bounds.
///
/// | written | accepts |
/// |---|---|
/// | `*` | every version, also one without a position in the order |
/// | `=1.4.2` | every version equal in the order: `v1.4.2` too |
/// | `>1`, `>=1`, `<=1` | by the order |
/// | `<2` | every version below 2, except pre-releases of 2 |
/// | `^1.4` | `>=1.4, <2`; `^0.3` is `>=0.3, <0.4`; `^0.0.3` is `>=0.0.3, <0.0.4` |
/// | `~1.4` | `>=1.4, <1.5`; `~1` is `>=1, <2` |
/// | `[1,2)`, `(,1.0]`, `[1.0]` | Maven's intervals, by the order alone: as in Maven, 2.0-rc1 is in `[1,2)` |
///
/// `,` joins bounds that must all hold, but joins alternatives between Maven's intervals. `||` always joins
/// alternatives.
///
/// A pre-release lies where it sorts, with one exception. `<2` and the ends of `^1.4` and `~1.4` exclude the
/// pre-releases of the release they stop at. 2.0.0-rc.1 is in `<=2`, `[1,2)` and `<2.0.0-rc.2`, but neither in `<2` nor
/// in `^1.4`. 1.5.0-rc.1 is in `^1.4`.
///
/// Ranges are equal if their texts are equal. Cloning is cheap.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct VersionRange(Arc<RangeData>);

struct RangeData {
    text: Box<str>,
    /// Alternatives of bounds that must all hold. An alternative without bounds accepts every version.
    any_of: Vec<Vec<RangeBound>>,
}

impl VersionRange {
    /// Returns the range `*`.
    pub fn any() -> Self {
        Self(Arc::new(RangeData { text: "*".into(), any_of: vec![Vec::new()] }))
    }

    /// Returns whether the range accepts every version under every order.
    pub fn is_any(&self) -> bool {
        self.0.any_of.iter().any(Vec::is_empty)
    }

    /// Returns the text as written.
    pub fn as_str(&self) -> &str {
        &self.0.text
    }

    /// Returns whether the range accepts a version. A version or bound without a position in the order (see
    /// [`VersionOrder::knows`]) never matches. `^` and `~` never match under history (see [`VersionRange::check_order`]).
    pub fn contains(&self, version: &Version, order: &VersionOrder) -> bool {
        self.0.any_of.iter().any(|all_of| all_of.iter().all(|bound| bound.test.admits(version, order)))
    }

    /// Returns the versions in the bounds, as written. Under history, an unknown one was never pinned, and its bound
    /// never holds.
    pub fn bound_versions(&self) -> impl Iterator<Item = &Version> {
        self.tests().map(|bound| bound.test.version())
    }

    /// Checks that the range is meaningful in this order. Under history, versions have no numbers for `^` and `~` to
    /// count. Under semver, every bound must be a semantic version. A bound that was never pinned is valid under
    /// history, because it may be pinned later.
    pub fn check_order(&self, order: &VersionOrder) -> Result<(), RangeError> {
        self.tests().try_for_each(|RangeBound { offset, test }| {
            if order.versioning() == Versioning::History && matches!(test, BoundTest::Series(..)) {
                return Err(RangeError {
                    message: "under `versioning: history` versions have no numbers for `^` and `~` to count".to_owned(),
                    offset: *offset,
                    hint: Some("name bounds that were pinned, as in `>=A, <B`".to_owned()),
                });
            }
            order.check(test.version()).map_err(|error| RangeError::at(*offset, &error))
        })
    }

    /// Checks that a version can exist in the range, by the order of its bounds. A bound without a position in the
    /// order (see [`VersionOrder::knows`]) excludes nothing here, because it may get a position later.
    pub fn check_satisfiable(&self, order: &VersionOrder) -> Result<(), RangeError> {
        let conflicts: Option<Vec<_>> = self.0.any_of.iter().map(|all_of| conflicting_bounds(all_of, order)).collect();
        let Some(&(low, high)) = conflicts.as_ref().and_then(|all| all.first()) else { return Ok(()) };
        let hint = match self.turned_round(order) {
            Some(turned) => format!("did you mean `{turned}`?"),
            None => JOINTS_HINT.to_owned(),
        };
        let (first, second) = if low.offset < high.offset { (low, high) } else { (high, low) };
        let message = format!("no version is {} and also {}", first.test, second.test);
        Err(RangeError { message, offset: first.offset, hint: Some(hint) })
    }

    /// Swaps the two bounds of a range: `>=3, <2` becomes `>=2, <3`. None if the result accepts no version either.
    fn turned_round(&self, order: &VersionOrder) -> Option<Self> {
        let [all_of] = self.0.any_of.as_slice() else { return None };
        let [first, second] = all_of.as_slice() else { return None };
        if [first, second].iter().any(|bound| matches!(bound.test, BoundTest::Equal(_) | BoundTest::Series(..))) {
            return None;
        }
        let text = self.as_str();
        let [one, two] = [first, second].map(|bound| bound.test.version().as_str());
        let (at, end) = (text.find(one)?, text.rfind(two)?);
        let between = text.get(at + one.len()..end)?;
        let turned: Self = format!("{}{two}{between}{one}{}", &text[..at], &text[end + two.len()..]).parse().ok()?;
        turned.0.any_of.iter().all(|all_of| conflicting_bounds(all_of, order).is_none()).then_some(turned)
    }

    /// Describes the range for plans: `>=2.1, <3` is "2.1 or newer, below 3".
    pub fn in_words(&self) -> String {
        let alternative = |all_of: &Vec<RangeBound>| match all_of.as_slice() {
            [] => "any version".to_owned(),
            bounds => bounds.iter().map(|bound| bound.test.to_string()).collect::<Vec<_>>().join(", "),
        };
        self.0.any_of.iter().map(alternative).collect::<Vec<_>>().join("; or ")
    }

    fn tests(&self) -> impl Iterator<Item = &RangeBound> {
        self.0.any_of.iter().flatten()
    }
}

impl FromStr for VersionRange {
    type Err = RangeError;

    fn from_str(text: &str) -> Result<Self, RangeError> {
        Ok(Self(Arc::new(RangeData { text: text.into(), any_of: notation::parse_range(text)? })))
    }
}

is_its_text!(VersionRange);

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*, sample::select};

    use super::*;

    fn accepts(range: &str, versioning: Versioning, version: &str) -> bool {
        let appearance = ["v7", "v9", "v8"].map(|text| Version::new(text).unwrap());
        range
            .parse::<VersionRange>()
            .unwrap()
            .contains(&version.parse().unwrap(), &VersionOrder::choose(Some(versioning), appearance))
    }

    fn assert_accepts(versioning: Versioning, range: &str, yes: &str, no: &str) {
        for version in yes.split_whitespace() {
            assert!(accepts(range, versioning, version), "{version} is in {range}");
        }
        for version in no.split_whitespace() {
            assert!(!accepts(range, versioning, version), "{version} is not in {range}");
        }
    }

    #[test]
    fn semantic_versions_are_accepted_as_by_cargo_save_pre_releases() {
        for (range, yes, no) in [
            (">=2.1, <3", "2.1 v2.1.0 2.99", "2.0.9 2.1-rc.1 3.0.0-rc.1 3 main"),
            ("^1.4", "1.4.0 1.5.0-rc.1 1.99", "1.4.0-rc.1 2.0.0-rc.1 2"),
            ("^0.3", "0.3 0.3.9", "0.4 0.4.0-a 0.2"),
            ("~1.4", "1.4.9", "1.5 1.5.0-rc.1"),
            ("<2", "1.9 1.9-rc", "2 2.0.0-rc.1"),
            ("<=2.0.0", "2.0.0-rc.1 2.0", "2.0.1"),
            ("<2.0.0-rc.2", "2.0.0-rc.1 1", "2.0.0-rc.2 2"),
            ("=1.4.2", "1.4.2 v1.4.2", "1.4.2-rc 1.4.3"),
            ("<1 || >2, <=3 || =9", "0.9 2.0.1 3 9", "1 2 3.1 8"),
            ("[1,2),[3,)", "1 2.0.0-rc.1 3 4", "0.9 2 2.9"),
            ("(1,2]", "1.0.1 2", "1 2.1"),
            ("*", "0 main", ""),
            (">=main", "", "1 main"),
        ] {
            assert_accepts(Versioning::Semver, range, yes, no);
        }
    }

    #[test]
    fn maven_s_pre_releases_are_left_out_by_signs_and_kept_by_brackets() {
        for (range, yes, no) in [
            ("<2", "1.9 1.9-SNAPSHOT", "2.0-rc1 2.0.0.Alpha1 2-SNAPSHOT 2.Final"),
            ("^1.4", "1.4.Final 1.4-sp1 1.5-rc1", "1.4-rc1 2.0-rc1"),
            ("[1,2)", "1 1.0.Final 2.0-rc1", "1-rc1 2.0.GA 2-sp"),
            ("(,1.0]", "1-rc1 1", "1-sp"),
            ("[1.0]", "1 1.0.0.Final", "1.0.1"),
        ] {
            assert_accepts(Versioning::Maven, range, yes, no);
        }
    }

    #[test]
    fn under_history_bounds_compare_by_place() {
        for (range, yes, no) in [
            (">v7", "v9 v8", "v7 v10"),
            (">=v7, <v8", "v7 v9", "v8"),
            ("=v9", "v9", "v7"),
            ("<v10", "", "v7 v9"),
            ("^7 || ~v7", "", "v7 v9"),
            ("*", "v10", ""),
        ] {
            assert_accepts(Versioning::History, range, yes, no);
        }
    }

    #[test]
    fn a_range_that_means_nothing_in_an_order_says_so() {
        let fits = |range: &str, versioning| {
            range.parse::<VersionRange>().unwrap().check_order(&VersionOrder::choose(Some(versioning), []))
        };
        let error = fits(">=1 || ^1.4", Versioning::History).unwrap_err();
        assert_eq!(error.message, "under `versioning: history` versions have no numbers for `^` and `~` to count");
        assert_eq!((error.offset, error.hint.unwrap().as_str()), (7, "name bounds that were pinned, as in `>=A, <B`"));
        let error = fits(">=1, < main", Versioning::Semver).unwrap_err();
        assert_eq!(
            (error.message.as_str(), error.offset),
            ("`main` is not a semantic version: it does not begin with a number", 5)
        );
        assert_eq!(fits(">=main", Versioning::Maven), Ok(()));
        assert_eq!(fits(">=never-pinned", Versioning::History), Ok(()));
    }

    #[test]
    fn a_range_that_no_version_can_lie_in_says_why() {
        let told = |range: &str, versioning| {
            let order =
                VersionOrder::choose(Some(versioning), ["v7", "v9", "v8"].map(|text| Version::new(text).unwrap()));
            match range.parse::<VersionRange>().unwrap().check_satisfiable(&order) {
                Ok(()) => format!("{range}: some"),
                Err(RangeError { message, offset, hint }) => {
                    format!("{range}: {offset}: {message}; {}", hint.unwrap_or_default())
                }
            }
        };
        let semver = ">=3, <2;=1.2, >2;[2,1];>2, <2;>=2, <=2;=1, =1.0;=1, =2;^1.4, <1;^1, ~2;>=2-rc.1, <2;[2-rc.1,2);\
                      >1.0.0, <1.0.1;>=3, <2 || >4;>=3, <2 || [2,1];*, <1;>=main, <1";
        let told_all = |ranges: &str, versioning| {
            ranges.split(';').map(|range| told(range, versioning)).collect::<Vec<_>>().join("\n")
        };
        insta::assert_snapshot!(told_all(semver, Versioning::Semver), @"
        >=3, <2: 0: no version is 3 or newer and also below 2; did you mean `>=2, <3`?
        =1.2, >2: 0: no version is exactly 1.2 and also newer than 2; `,` joins bounds that must all hold, `||` joins alternatives
        [2,1]: 1: no version is 2 or newer and also 1 or older; did you mean `[1,2]`?
        >2, <2: 0: no version is newer than 2 and also below 2; `,` joins bounds that must all hold, `||` joins alternatives
        >=2, <=2: some
        =1, =1.0: some
        =1, =2: 0: no version is exactly 1 and also exactly 2; `,` joins bounds that must all hold, `||` joins alternatives
        ^1.4, <1: 0: no version is 1.4 or newer, below 2 and also below 1; `,` joins bounds that must all hold, `||` joins alternatives
        ^1, ~2: 0: no version is 1 or newer, below 2 and also 2 or newer, below 3; `,` joins bounds that must all hold, `||` joins alternatives
        >=2-rc.1, <2: 0: no version is 2-rc.1 or newer and also below 2; `,` joins bounds that must all hold, `||` joins alternatives
        [2-rc.1,2): some
        >1.0.0, <1.0.1: some
        >=3, <2 || >4: some
        >=3, <2 || [2,1]: 0: no version is 3 or newer and also below 2; `,` joins bounds that must all hold, `||` joins alternatives
        *, <1: some
        >=main, <1: some
        ");
        insta::assert_snapshot!(told_all(">1.Final, <1;<1, >=2.Final", Versioning::Maven), @"
        >1.Final, <1: 0: no version is newer than 1.Final and also below 1; `,` joins bounds that must all hold, `||` joins alternatives
        <1, >=2.Final: 0: no version is below 1 and also 2.Final or newer; did you mean `<2.Final, >=1`?
        ");
        insta::assert_snapshot!(told_all(">=v9, <v8;>=v8, <v9;>=v8, <v5", Versioning::History), @"
        >=v9, <v8: some
        >=v8, <v9: 0: no version is v8 or newer and also below v9; did you mean `>=v9, <v8`?
        >=v8, <v5: some
        ");
    }

    #[test]
    fn a_range_reads_as_words() {
        for (range, words) in [
            (">=2.1, <3", "2.1 or newer, below 3"),
            ("^1.4", "1.4 or newer, below 2"),
            ("=1.4.2 || >2", "exactly 1.4.2; or newer than 2"),
            ("[1,2),(3,4]", "1 or newer, before 2; or newer than 3, 4 or older"),
            ("*", "any version"),
        ] {
            assert_eq!(range.parse::<VersionRange>().unwrap().in_words(), words);
        }
    }

    #[test]
    fn a_range_names_its_bounds_and_keeps_its_text() {
        let range: VersionRange = serde_json::from_str(r#"" ^1.4||[2,3) ""#).unwrap();
        assert_eq!(range.bound_versions().map(Version::as_str).collect::<Vec<_>>(), ["1.4", "2", "3"]);
        assert_eq!(serde_json::to_string(&range).unwrap(), r#"" ^1.4||[2,3) ""#);
        assert!(VersionRange::any().is_any() && !range.is_any());
        assert_eq!("*".parse(), Ok(VersionRange::any()));
    }

    /// Three numbers, and the number of a release candidate. The release itself has the highest candidate number, 9.
    type Naive = ([u8; 3], u8);

    fn naive() -> impl Strategy<Value = Naive> {
        ([0..3_u8, 0..3_u8, 0..3_u8], select(vec![1, 2, 9, 9]))
    }

    fn text(([major, minor, patch], candidate): Naive) -> String {
        let release = format!("{major}.{minor}.{patch}");
        if candidate == 9 { release } else { format!("{release}-rc.{candidate}") }
    }

    /// Decides a bound directly from the definition of its sign.
    fn naively_admits(sign: &str, bound: Naive, version: Naive) -> bool {
        let leftmost = bound.0.iter().position(|&number| number > 0).unwrap_or(2);
        match sign {
            "=" => version == bound,
            ">" => version > bound,
            ">=" => version >= bound,
            "<=" => version <= bound,
            "<" if bound.1 == 9 => version.0 < bound.0,
            "<" => version < bound,
            "^" => version >= bound && version.0[..=leftmost] == bound.0[..=leftmost],
            _ => version >= bound && version.0[..2] == bound.0[..2],
        }
    }

    proptest! {
        #[test]
        fn a_range_contains_what_a_naive_reading_says(
            any_of in vec(vec((select(vec!["=", ">", ">=", "<", "<=", "^", "~"]), naive()), 1..3), 1..3),
            versions in vec(naive(), 16),
            maven in any::<bool>(),
        ) {
            let bounds = |all_of: &Vec<(&str, Naive)>| {
                all_of.iter().map(|&(sign, bound)| format!("{sign} {}", text(bound))).collect::<Vec<_>>().join(",")
            };
            let written = any_of.iter().map(bounds).collect::<Vec<_>>().join(" || ");
            let range: VersionRange = written.parse().unwrap();
            let order = VersionOrder::choose(Some(if maven { Versioning::Maven } else { Versioning::Semver }), []);
            for version in versions {
                let expected = any_of
                    .iter()
                    .any(|all_of| all_of.iter().all(|&(sign, bound)| naively_admits(sign, bound, version)));
                let contains = range.contains(&Version::new(&text(version)).unwrap(), &order);
                prop_assert_eq!(contains, expected, "{} in {}", text(version), &written);
                prop_assert!(!contains || range.check_satisfiable(&order).is_ok(), "{} in {}", text(version), &written);
            }
        }

        #[test]
        fn any_text_is_a_range_of_that_text_or_an_error_within_it(
            text in prop_oneof![any::<String>(), r"([\^~<>=!*|,\[\]()x. -]|[0-9]|é|rc){0,12}"],
        ) {
            match text.parse::<VersionRange>() {
                Ok(range) => prop_assert_eq!(range.to_string(), text),
                Err(error) => prop_assert!(text.is_char_boundary(error.offset)),
            }
        }
    }
}
