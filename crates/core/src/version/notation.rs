//! Parses the notations of ranges: signs and Maven's brackets. Errors on other notations suggest the equivalent here.

use super::{
    Version,
    bound::{BoundTest, RangeBound},
    range_error::RangeError,
    semver::{self, SeriesKind},
};

const SIGN_CHARS: &str = "^~<>=!";
const SIGNS_HINT: &str = "write `=`, `>`, `>=`, `<`, `<=`, `^` or `~`";
const BRACKETS_HINT: &str = "brackets and signs do not mix; `||` joins alternatives";
pub(super) const JOINTS_HINT: &str = "`,` joins bounds that must all hold, `||` joins alternatives";

type RangeResult<T> = std::result::Result<T, RangeError>;

/// Parses a range into alternatives. Each alternative is a list of bounds that must all hold.
pub(super) fn parse_range(text: &str) -> RangeResult<Vec<Vec<RangeBound>>> {
    let mut reader = RangeParser { text, at: 0 };
    reader.skip_space();
    if reader.rest().is_empty() {
        return fail(0, "the range is empty", "write `*` for any version");
    }
    let mut any_of = Vec::new();
    loop {
        if reader.rest().starts_with(['[', '(']) {
            reader.intervals(&mut any_of)?;
        } else {
            any_of.push(reader.signed()?);
        }
        if reader.rest().is_empty() {
            return Ok(any_of);
        }
        reader.alternative()?;
    }
}

/// A position in the text. White space after each token is skipped at once.
struct RangeParser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> RangeParser<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn skip_space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    fn eat(&mut self, sign: &str) -> bool {
        let found = self.rest().starts_with(sign);
        if found {
            self.at += sign.len();
            self.skip_space();
        }
        found
    }

    fn eat_while(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let (eaten, _) = rest.split_at(rest.find(|c| !belongs(c)).unwrap_or(rest.len()));
        self.at += eaten.len();
        self.skip_space();
        eaten
    }

    /// Reads a word that may be a version. `*` is part of a word, to recognise `1.*`.
    fn word(&mut self) -> &'a str {
        self.eat_while(|c| !c.is_whitespace() && !SIGN_CHARS.contains(c) && !",|[]()".contains(c))
    }

    /// Returns the next character, for messages.
    fn here(&self) -> String {
        self.rest().chars().next().map_or_else(|| "the end".to_owned(), |c| format!("`{}`", c.escape_debug()))
    }

    /// Reads `||`, or reports what stands in its place.
    fn alternative(&mut self) -> RangeResult<()> {
        if self.eat("||") {
            return Ok(());
        }
        fail(self.at, format!("`,` or `||` is expected before {}", self.here()), JOINTS_HINT)
    }

    /// Reads bounds with signs, such as `>=2.1, <3`.
    fn signed(&mut self) -> RangeResult<Vec<RangeBound>> {
        let mut all_of = Vec::new();
        loop {
            let offset = self.at;
            let sign = self.eat_while(|c| SIGN_CHARS.contains(c));
            let word_at = self.at;
            let word = self.word();
            if sign.is_empty() {
                self.unsigned(offset, word)?;
            } else if word.is_empty() {
                let message = format!("a version is expected after `{sign}`, before {}", self.here());
                return fail(word_at, message, "name a version, as in `>=2.1`");
            } else {
                all_of.push(RangeBound { offset, test: test(offset, sign, version(word_at, word)?)? });
            }
            if !self.eat(",") {
                return Ok(all_of);
            }
        }
    }

    /// Accepts a word without a sign only if it is `*`.
    fn unsigned(&mut self, offset: usize, word: &str) -> RangeResult<()> {
        if word == "*" {
            return Ok(());
        }
        if word.is_empty() {
            let hint = if self.rest().starts_with(['[', '(']) { BRACKETS_HINT } else { SIGNS_HINT };
            return fail(offset, format!("a bound is expected before {}", self.here()), hint);
        }
        if self.eat("-") {
            let hint = format!("write `>={}, <={}`", word.escape_debug(), self.word().escape_debug());
            return fail(offset, "a range is not written with a hyphen", hint);
        }
        version(offset, word)?;
        let hint = match semver::end_of_series(SeriesKind::Caret, word) {
            Some(end) => format!("write `^{word}` for {word} or newer, below {end}; `={word}` for this version alone"),
            None => format!("write `={word}` for this version alone, `>={word}` for newer ones too"),
        };
        fail(offset, format!("`{word}` does not say which versions it means"), hint)
    }

    /// Reads Maven's intervals, such as `[1,2),[3,)`. A `,` between intervals joins alternatives.
    fn intervals(&mut self, any_of: &mut Vec<Vec<RangeBound>>) -> RangeResult<()> {
        loop {
            let offset = self.at;
            let opens_with_it = if self.eat("[") {
                true
            } else if self.eat("(") {
                false
            } else {
                return fail(offset, format!("`[` or `(` is expected before {}", self.here()), BRACKETS_HINT);
            };
            any_of.push(self.interval(offset, opens_with_it)?);
            if !self.eat(",") {
                return Ok(());
            }
        }
    }

    fn interval(&mut self, offset: usize, opens_with_it: bool) -> RangeResult<Vec<RangeBound>> {
        let (low_at, low) = self.end()?;
        let comma = self.eat(",");
        let (high_at, high) = if comma { self.end()? } else { (low_at, None) };
        let closes_with_it = self.eat("]");
        if !closes_with_it && !self.eat(")") {
            let message = format!("`]` or `)` is expected before {}", self.here());
            return fail(self.at, message, "an interval is written `[1,2)`, one version `[1.0]`");
        }
        if !comma {
            return match low {
                Some(only) if opens_with_it && closes_with_it => {
                    Ok(vec![RangeBound { offset: low_at, test: BoundTest::Equal(only) }])
                }
                _ => fail(offset, "brackets without `,` hold one version", "write `[1.0]` or `[1.0,)`"),
            };
        }
        let low = low.map(if opens_with_it { BoundTest::AtLeast } else { BoundTest::Above });
        let high = high.map(if closes_with_it { BoundTest::AtMost } else { BoundTest::Before });
        let bounds = [(low_at, low), (high_at, high)].into_iter();
        Ok(bounds.filter_map(|(offset, test)| Some(RangeBound { offset, test: test? })).collect())
    }

    /// Reads one end of an interval, which may be open.
    fn end(&mut self) -> RangeResult<(usize, Option<Version>)> {
        let offset = self.at;
        let word = self.word();
        let version = if word.is_empty() { None } else { Some(version(offset, word)?) };
        Ok((offset, version))
    }
}

fn fail<T>(offset: usize, message: impl Into<String>, hint: impl Into<String>) -> RangeResult<T> {
    Err(RangeError { message: message.into(), offset, hint: Some(hint.into()) })
}

fn version(offset: usize, word: &str) -> RangeResult<Version> {
    refuse_wildcard(offset, word)?;
    Version::new(word).map_err(|error| RangeError::at(offset, &error))
}

/// Refuses wildcards such as `1.x` and `1.4.*`.
fn refuse_wildcard(offset: usize, word: &str) -> RangeResult<()> {
    let is_number = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let is_wild = |part: &&str| matches!(*part, "x" | "X" | "*");
    let parts = word.split('.').collect::<Vec<_>>();
    if !parts.iter().any(is_wild) || !parts.iter().all(|part| is_wild(part) || is_number(part)) {
        return Ok(());
    }
    let numbers = parts.into_iter().take_while(is_number).collect::<Vec<_>>();
    let hint = match numbers.len() {
        0 => "write `*` for any version".to_owned(),
        1 | 2 => format!("write `~{}`", numbers.join(".")),
        _ => "write two bounds, as in `>=2.1, <3`".to_owned(),
    };
    fail(offset, format!("`{word}` is a wildcard, and ranges have none but `*`"), hint)
}

fn test(offset: usize, sign: &str, version: Version) -> RangeResult<BoundTest> {
    Ok(match sign {
        "=" => BoundTest::Equal(version),
        ">" => BoundTest::Above(version),
        ">=" => BoundTest::AtLeast(version),
        "<" => BoundTest::Below(version),
        "<=" => BoundTest::AtMost(version),
        "^" => series_test(offset, SeriesKind::Caret, version)?,
        "~" => series_test(offset, SeriesKind::Tilde, version)?,
        other => {
            let hint = match other {
                "!=" => format!("write `<{version} || >{version}`"),
                "==" | "===" => format!("write `={version}`"),
                "=>" => format!("write `>={version}`"),
                "=<" => format!("write `<={version}`"),
                "~>" | "~=" => format!("write `~{version}` or `^{version}`"),
                _ => SIGNS_HINT.to_owned(),
            };
            return fail(offset, format!("`{other}` is no sign of ranges"), hint);
        }
    })
}

fn series_test(offset: usize, series: SeriesKind, first: Version) -> RangeResult<BoundTest> {
    if let Some(Ok(end)) = semver::end_of_series(series, first.as_str()).map(|end| Version::new(&end)) {
        return Ok(BoundTest::Series(first, end));
    }
    let hint = format!("write two bounds, as in `>={first}, <B`");
    fail(offset, format!("`^` and `~` cannot count on from `{first}`"), hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_is_free() {
        let shape =
            |text| format!("{:?}", parse_range(text).unwrap().iter().flatten().map(|b| &b.test).collect::<Vec<_>>());
        for (spaced, dense) in [(" >= 2.1 ,\t< 3 ||^ 4 ", ">=2.1,<3||^4"), ("[ 1 , 2 ) , ( ,3 ]", "[1,2),(,3]")] {
            assert_eq!(shape(spaced), shape(dense));
        }
    }

    #[test]
    fn everything_has_many_spellings() {
        for text in ["*", " * ", "(,)", "[,]", "*, *", "<1 || *"] {
            assert!(parse_range(text).unwrap().iter().any(Vec::is_empty), "{text}");
        }
    }

    #[test]
    fn a_mistake_is_named_with_its_place_and_the_way_out() {
        let shown = |text| {
            let RangeError { message, offset, hint } = parse_range(text).unwrap_err();
            format!("{text:12} {offset}: {message}; {}", hint.unwrap_or_default())
        };
        let mistakes = ";1.4;main;1.x;1.4.*;x;>=1.x;1.2.3.x;1.2 - 2.0;!=1.4;==1.4;=>1;=<1;~>1.4;<>1;>=1 <2;>=1<2;\
             >=1 && <2;>=1 | <2;>=;>= <2;>=1,;>=1 ||;|| >=1;^main;~1.4.Final;>=1.2+a;1.2+a;=é 1;[1,2;[1,2[;[1,2,3];[1);\
             [];[1 2];[1,2), <3;>=1, [1,2)";
        insta::assert_snapshot!(mistakes.split(';').map(shown).collect::<Vec<_>>().join("\n"), @r"
                     0: the range is empty; write `*` for any version
        1.4          0: `1.4` does not say which versions it means; write `^1.4` for 1.4 or newer, below 2; `=1.4` for this version alone
        main         0: `main` does not say which versions it means; write `=main` for this version alone, `>=main` for newer ones too
        1.x          0: `1.x` is a wildcard, and ranges have none but `*`; write `~1`
        1.4.*        0: `1.4.*` is a wildcard, and ranges have none but `*`; write `~1.4`
        x            0: `x` is a wildcard, and ranges have none but `*`; write `*` for any version
        >=1.x        2: `1.x` is a wildcard, and ranges have none but `*`; write `~1`
        1.2.3.x      0: `1.2.3.x` is a wildcard, and ranges have none but `*`; write two bounds, as in `>=2.1, <3`
        1.2 - 2.0    0: a range is not written with a hyphen; write `>=1.2, <=2.0`
        !=1.4        0: `!=` is no sign of ranges; write `<1.4 || >1.4`
        ==1.4        0: `==` is no sign of ranges; write `=1.4`
        =>1          0: `=>` is no sign of ranges; write `>=1`
        =<1          0: `=<` is no sign of ranges; write `<=1`
        ~>1.4        0: `~>` is no sign of ranges; write `~1.4` or `^1.4`
        <>1          0: `<>` is no sign of ranges; write `=`, `>`, `>=`, `<`, `<=`, `^` or `~`
        >=1 <2       4: `,` or `||` is expected before `<`; `,` joins bounds that must all hold, `||` joins alternatives
        >=1<2        3: `,` or `||` is expected before `<`; `,` joins bounds that must all hold, `||` joins alternatives
        >=1 && <2    4: `,` or `||` is expected before `&`; `,` joins bounds that must all hold, `||` joins alternatives
        >=1 | <2     4: `,` or `||` is expected before `|`; `,` joins bounds that must all hold, `||` joins alternatives
        >=           2: a version is expected after `>=`, before the end; name a version, as in `>=2.1`
        >= <2        3: a version is expected after `>=`, before `<`; name a version, as in `>=2.1`
        >=1,         4: a bound is expected before the end; write `=`, `>`, `>=`, `<`, `<=`, `^` or `~`
        >=1 ||       6: a bound is expected before the end; write `=`, `>`, `>=`, `<`, `<=`, `^` or `~`
        || >=1       0: a bound is expected before `|`; write `=`, `>`, `>=`, `<`, `<=`, `^` or `~`
        ^main        0: `^` and `~` cannot count on from `main`; write two bounds, as in `>=main, <B`
        ~1.4.Final   0: `^` and `~` cannot count on from `1.4.Final`; write two bounds, as in `>=1.4.Final, <B`
        >=1.2+a      2: `+` is not allowed in an image tag; use `_` instead, as Helm does, or drop the build metadata
        1.2+a        0: `+` is not allowed in an image tag; use `_` instead, as Helm does, or drop the build metadata
        =é 1         4: `,` or `||` is expected before `1`; `,` joins bounds that must all hold, `||` joins alternatives
        [1,2         4: `]` or `)` is expected before the end; an interval is written `[1,2)`, one version `[1.0]`
        [1,2[        4: `]` or `)` is expected before `[`; an interval is written `[1,2)`, one version `[1.0]`
        [1,2,3]      4: `]` or `)` is expected before `,`; an interval is written `[1,2)`, one version `[1.0]`
        [1)          0: brackets without `,` hold one version; write `[1.0]` or `[1.0,)`
        []           0: brackets without `,` hold one version; write `[1.0]` or `[1.0,)`
        [1 2]        3: `]` or `)` is expected before `2`; an interval is written `[1,2)`, one version `[1.0]`
        [1,2), <3    7: `[` or `(` is expected before `<`; brackets and signs do not mix; `||` joins alternatives
        >=1, [1,2)   5: a bound is expected before `[`; brackets and signs do not mix; `||` joins alternatives
        ");
    }
}
