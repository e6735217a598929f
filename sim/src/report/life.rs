//! The life of one message, as a sequence diagram: who said it, whom it reached, who missed it, and how it was repaired.

use std::fmt::Write;

use crate::furps::{Case, Profile, Repair};
use crate::world::{Manner, Moment, World};

const PARTICIPANTS: u32 = 6;
const COLUMN: u32 = 150;
const ROW: u32 = 22;

/// An SVG of the message that most happened to, in a small group that loses a fifth of all packets.
pub fn of_a_message(seed: u64) -> Result<String, String> {
    let mut case = Case::new(PARTICIPANTS, Repair::Sdsr, Profile::Libsds, seed);
    (case.loss_percent, case.messages) = (20.0, 20);
    let scenario = case.scenario()?;
    let manner = Manner { trace: true, ..Manner::default() };
    let mut world = World::new(&scenario, manner).map_err(|violation| violation.to_string())?;
    let until_ms = world.last_saying_ms() + 200_000;
    world.run_until(until_ms, &mut |_| ()).map_err(|violation| violation.to_string())?;
    let moments = longest_life(world.trace());
    Ok(diagram(&moments))
}

fn longest_life(trace: &[Moment]) -> Vec<&Moment> {
    let last = trace.iter().filter_map(|moment| moment.message).max().unwrap_or(0);
    let life = |message: u32| trace.iter().filter(|moment| moment.message == Some(message)).collect::<Vec<_>>();
    (0..=last).map(life).max_by_key(Vec::len).unwrap_or_default()
}

fn diagram(moments: &[&Moment]) -> String {
    let (width, height) = (PARTICIPANTS * COLUMN + 100, (moments.len() as u32 + 3) * ROW);
    let mut svg = format!(
        "<svg width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" xmlns=\"http://www.w3.org/2000/svg\" \
         font-family=\"sans-serif\" font-size=\"12\">\n"
    );
    let x = |who: u32| 100 + who * COLUMN;
    for who in 0..PARTICIPANTS {
        let at = x(who);
        let _ = writeln!(svg, "<text x=\"{at}\" y=\"16\" font-weight=\"bold\">participant {who}</text>");
        let _ = writeln!(svg, "<line x1=\"{at}\" y1=\"24\" x2=\"{at}\" y2=\"{height}\" stroke=\"#ccc\"/>");
    }
    let first_ms = moments.first().map_or(0, |moment| moment.at_ms);
    for (row, moment) in moments.iter().enumerate() {
        let (y, at) = ((row as u32 + 2) * ROW, x(moment.who));
        let seconds = (moment.at_ms - first_ms) as f64 / 1_000.0;
        let _ = writeln!(svg, "<text x=\"4\" y=\"{y}\" fill=\"#666\">{seconds:.3} s</text>");
        if moment.what.starts_with("broadcasts") {
            let (y, end) = (y + 4, x(PARTICIPANTS - 1) + COLUMN - 20);
            let _ = writeln!(
                svg,
                "<line x1=\"{}\" y1=\"{y}\" x2=\"{end}\" y2=\"{y}\" stroke=\"#36c\" stroke-dasharray=\"4 3\"/>",
                x(0)
            );
        }
        let _ = writeln!(svg, "<circle cx=\"{at}\" cy=\"{}\" r=\"3\"/>", y - 4);
        let _ = writeln!(svg, "<text x=\"{}\" y=\"{y}\">{}</text>", at + 7, moment.what);
    }
    svg.push_str("</svg>\n");
    svg
}
