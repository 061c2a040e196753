//! Lays planned rollouts out as an SVG: time to the right, one bar per service, stages as columns.

use std::fmt::Write as _;

use super::rollout::{Move, RELEASE_46, RELEASE_47, plan};

const WIDTH: usize = 920;
const PANEL: usize = 250;
/// Where time begins, where the first stage does, and where the picture ends.
const TRACK: [usize; 3] = [136, 262, 892];
const BAR: usize = 30;
const ROW: usize = 62;

/// Colours of both themes; the card has a background of its own, so it is legible on any page.
const STYLE: &str = "
    .card { fill: #ffffff; stroke: #d1d9e0 } .rule { stroke: #d1d9e0 }
    .title, .name { fill: #1f2328 } .soft { fill: #59636e }
    .old { fill: #e4e9ee } .on-old { fill: #424a53 } .new { fill: #0e7569 } .on-new { fill: #ffffff }
    .arrow { stroke: #bc4c00; fill: none } .tip { fill: #bc4c00 } .why { fill: #953800; stroke: #ffffff }
    @media (prefers-color-scheme: dark) {
      .card { fill: #0d1117; stroke: #3d444d } .rule { stroke: #30363d }
      .title, .name { fill: #f0f6fc } .soft { fill: #9198a1 }
      .old { fill: #2a313c } .on-old { fill: #d1d7e0 } .new { fill: #3fb8a6 } .on-new { fill: #04211d }
      .arrow { stroke: #f0883e } .tip { fill: #f0883e } .why { fill: #ffa657; stroke: #0d1117 }
    }
    text { font-family: ui-sans-serif, -apple-system, 'Segoe UI', 'Noto Sans', Helvetica, Arial, sans-serif; font-size: 14px }
    .title { font-size: 17px; font-weight: 600 } .name { font-weight: 600 } .why { font-size: 13px; paint-order: stroke; stroke-width: 6px }
    .soft { font-size: 12.5px } .version { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace; font-size: 13px }
";

/// Draws the release and its revert.
pub(crate) fn picture() -> String {
    let release = plan(RELEASE_46, RELEASE_47);
    let revert = plan(RELEASE_47, RELEASE_46);
    let label = format!("The release moves {}. Its revert moves {}.", in_order(&release), in_order(&revert));
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" \
         role=\"img\" aria-labelledby=\"label\">\n<title id=\"label\">{label}</title>\n<style>{STYLE}</style>\n\
         <rect class=\"card\" x=\"0.5\" y=\"0.5\" width=\"{}\" height=\"{}\" rx=\"12\"/>\n",
        WIDTH - 1,
        2 * PANEL + 7,
        height = 2 * PANEL + 8,
    );
    panel(&mut svg, 0, "The release", &release);
    let middle = PANEL + 8;
    let _ = writeln!(svg, "<path class=\"rule\" d=\"M24 {middle}.5H{}\"/>", WIDTH - 24);
    panel(&mut svg, PANEL, "Its revert", &revert);
    svg + "</svg>\n"
}

/// The services by stage, as a sentence names them.
fn in_order(moves: &[Move]) -> String {
    let mut moves: Vec<&Move> = moves.iter().collect();
    moves.sort_by_key(|it| it.stage);
    moves.iter().map(|it| it.service.as_str()).collect::<Vec<_>>().join(", then ")
}

fn panel(svg: &mut String, top: usize, title: &str, moves: &[Move]) {
    let stages = moves.iter().map(|it| it.stage + 1).max().unwrap_or(1);
    let x = |stage: usize| TRACK[1] + stage * (TRACK[2] - TRACK[1]) / stages;
    let y = |row: usize| top + 74 + row * ROW;
    let _ = writeln!(
        svg,
        "<text class=\"title\" x=\"24\" y=\"{}\">{title}</text>\n\
         <text class=\"soft\" x=\"{}\" y=\"{}\">{}</text>",
        top + 38,
        TRACK[0],
        top + 38,
        in_order(moves),
    );
    for stage in 0..stages {
        let (from, to) = (top + 52, y(moves.len() - 1) + BAR + 8);
        let _ = writeln!(
            svg,
            "<path class=\"rule\" stroke-dasharray=\"3 4\" d=\"M{x}.5 {from}V{to}\"/>\n\
             <text class=\"soft\" x=\"{}\" y=\"{}\">stage {}</text>",
            x(stage) + 8,
            top + 62,
            stage + 1,
            x = x(stage),
        );
    }
    for (row, it) in moves.iter().enumerate() {
        bar(svg, y(row), x(it.stage), it);
    }
    for (row, it) in moves.iter().enumerate() {
        let Some((on, why)) = &it.wait else { continue };
        let Some(other) = moves.iter().position(|it| it.service == *on) else { continue };
        arrow(svg, x(it.stage), [y(other), y(row)], why);
    }
}

/// One service: its name, what runs before its stage and what runs from then on.
fn bar(svg: &mut String, y: usize, start: usize, it: &Move) {
    let is_upgrade = RELEASE_47.contains(&it.to);
    let (before, after) = if is_upgrade { ("old", "new") } else { ("new", "old") };
    let [left, _, right] = TRACK;
    let line = y + 20;
    let _ = writeln!(
        svg,
        "<text class=\"name\" x=\"24\" y=\"{line}\">{}</text>\n\
         <rect class=\"{before}\" x=\"{left}\" y=\"{y}\" width=\"{}\" height=\"{BAR}\" rx=\"6\"/>\n\
         <text class=\"version on-{before}\" x=\"{}\" y=\"{line}\">{}</text>\n\
         <rect class=\"{after}\" x=\"{start}\" y=\"{y}\" width=\"{}\" height=\"{BAR}\" rx=\"6\"/>\n\
         <text class=\"version on-{after}\" x=\"{}\" y=\"{line}\">{}</text>",
        it.service,
        start - left - 4,
        left + 12,
        it.from,
        right - start,
        start + 12,
        it.to,
    );
}

/// From the bar that has just changed to the bar that may change now, with the reason beside it.
fn arrow(svg: &mut String, x: usize, [from, to]: [usize; 2], why: &str) {
    let x = x + 18;
    let middle = from.midpoint(to) + BAR / 2 + 5;
    let (from, to, tip) = if from < to { (from + BAR, to - 8, to - 1) } else { (from, to + BAR + 8, to + BAR + 1) };
    let _ = writeln!(
        svg,
        "<path class=\"arrow\" stroke-width=\"2\" d=\"M{x} {from}V{to}\"/>\n\
         <path class=\"tip\" d=\"M{} {to}H{}L{x} {tip}Z\"/>\n\
         <text class=\"why\" x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>",
        x - 5,
        x + 5,
        x - 12,
        middle,
        escaped(why),
    );
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
