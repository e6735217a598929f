//! The short version, for `docs/`: one table, three plots, and the command that makes it again.

use std::fmt::Write;
use std::path::Path;

use super::compare::{self, Compared};
use crate::furps::{Measured, name};

/// The plots that it shows, beside the text.
const SHOWN: [&str; 3] = ["shares-rfc-store", "shares-rfc-sdsr", "times-rfc-store"];
const LOSS: f64 = 10.0;

/// Writes `figures.md` and its plots into a folder.
pub fn write(
    command: &str,
    measured: &[Measured],
    compared: &[Compared],
    plots: &[(String, String)],
    folder: &Path,
) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    std::fs::create_dir_all(folder.join("figures")).map_err(failed)?;
    for (name, svg) in plots.iter().filter(|plot| SHOWN.contains(&plot.0.as_str())) {
        std::fs::write(folder.join("figures").join(format!("{name}.svg")), svg).map_err(failed)?;
    }
    std::fs::write(folder.join("figures.md"), text(command, measured, compared)).map_err(failed)
}

fn text(command: &str, measured: &[Measured], compared: &[Compared]) -> String {
    let mut text = format!(
        "# Figures\n\nWritten by `{command} DOCS=docs`, by simulated groups in which anybody speaks, with gaps\nof S = 5 s at most, and packets take 150 ms on average. P1: share of messages whose sender is 99.9 % sure \
         within S\nthat somebody has it. P2: share of missed messages that are noticed within 3 S. P3: share of members that \
         have a\nmessage within 6 S. In brackets the bound: what could have been known by the same packets. `sim/src/figures.rs`\n\
         says what is counted; `make sim` writes all cases and plots to `target/sim/report.html`.\n\n\
         ## At a loss of {LOSS} %\n\n\
         | members | format | repair | P1 | P2 | P3 | bytes a message | packets a message | sync messages a minute |\n\
         |---|---|---|---|---|---|---|---|---|\n"
    );
    for it in measured.iter().filter(|it| it.loss_percent == LOSS) {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {:.0} | {:.2} | {:.1} |",
            it.participants,
            name(&it.profile),
            name(&it.repair),
            share(it.p1, it.p1_bound),
            share(it.p2, it.p2_bound),
            share(it.p3, it.p3_bound),
            it.bytes_per_message,
            it.packets_per_message,
            it.syncs_per_minute
        );
    }
    text.push_str(
        "\nRepair: `store` has a store node, and members that repair; `sdsr` the members alone; `neither` nobody.\n\n",
    );
    text.push_str("## Over the loss\n\n");
    for plot in SHOWN {
        let _ = writeln!(text, "![{plot}](figures/{plot}.svg)\n");
    }
    let _ = write!(
        text,
        "## With the parameters of deployed implementations\n\nOur engine each time, in a group of {} at a loss of 10 %, \
         with a store, in the rfc format. They say {} messages: the filters of the deployed ones, made for 10,000, get full. \
         Wrongly sure: nobody had the message yet.\n\n\
         | parameters | bytes a message | packets a message | P1 | 99 % are sure within | wrongly sure |\n\
         |---|---|---|---|---|---|\n",
        compare::PARTICIPANTS,
        compare::MESSAGES
    );
    for Compared { way, measured: it } in compared {
        let seconds =
            it.sure_ms[1].map_or_else(|| "over 60 s".to_owned(), |ms| format!("{:.2} s", ms as f64 / 1_000.0));
        let _ = writeln!(
            text,
            "| {way} | {:.0} | {:.2} | {} | {seconds} | {} of {} |",
            it.bytes_per_message,
            it.packets_per_message,
            share(it.p1, it.p1_bound),
            it.wrongly_sure,
            it.messages
        );
    }
    text
}

fn share(figure: Option<f64>, bound: Option<f64>) -> String {
    let percent = |share: Option<f64>| share.map_or_else(|| "-".to_owned(), |share| format!("{:.2}", share * 100.0));
    format!("{} ({})", percent(figure), percent(bound))
}
