//! The page.

use std::fmt::Write;

use super::compare::Compared;
use crate::furps::{Measured, name};

const STYLE: &str = "body{font:15px/1.5 sans-serif;max-width:1100px;margin:2em auto;padding:0 1em}\
    table{border-collapse:collapse;font-size:13px}td,th{padding:2px 8px;text-align:right;border-bottom:1px solid #ddd}\
    td:nth-child(-n+4){text-align:left}.short{background:#fdd}svg{max-width:100%;height:auto}";

/// What a share of its bound a figure has to be.
const GOAL: f64 = 0.99;

pub fn html(
    command: &str,
    measured: &[Measured],
    compared: &[Compared],
    plots: &[(String, String)],
    life: &str,
) -> String {
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>sds-rs: figures</title>\
         <style>{STYLE}</style></head><body>\n<h1>What the protocol was made for, measured</h1>\n\
         <p>Made by <code>{command}</code>. S is 5 s, the longest gap between two messages. Beside each figure its bound: \
         what somebody could have known by the same packets who sees through everything. Cells in red are under 99 % of \
         their bound.</p>\n<h2>Every case</h2>\n"
    );
    table(&mut page, measured);
    page.push_str("<h2>Over loss and group size</h2>\n");
    for (_, svg) in plots {
        let _ = writeln!(page, "<p>{}</p>", svg.trim_start_matches("<?xml version=\"1.0\" encoding=\"UTF-8\"?>"));
    }
    page.push_str(
        "<h2>The life of a message</h2>\n<p>In a group of six without a store, a fifth of all packets lost.</p>\n",
    );
    page.push_str(life);
    page.push_str("<h2>With the parameters of deployed implementations</h2>\n");
    compare_table(&mut page, compared);
    page.push_str("</body></html>\n");
    page
}

fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "–".to_owned(), |share| format!("{:.2}", share * 100.0))
}

fn cell(page: &mut String, figure: Option<f64>, bound: Option<f64>) {
    let short = figure.zip(bound).is_some_and(|(figure, bound)| figure < GOAL * bound);
    let class = if short { " class=\"short\"" } else { "" };
    let _ = write!(page, "<td{class}>{}</td><td>{}</td>", percent(figure), percent(bound));
}

fn table(page: &mut String, measured: &[Measured]) {
    page.push_str(
        "<table><tr><th>members</th><th>format</th><th>repair</th><th>loss</th><th>P1</th><th>bound</th><th>P2</th>\
         <th>bound</th><th>P3</th><th>bound</th><th>R1</th><th>R2</th><th>bytes</th><th>packets</th><th>sync/min</th>\
         <th>answers</th></tr>\n",
    );
    for it in measured {
        let (format, repair) = (name(&it.profile), name(&it.repair));
        let _ = write!(
            page,
            "<tr><td>{}</td><td>{format}</td><td>{repair}</td><td>{} %</td>",
            it.participants, it.loss_percent
        );
        cell(page, it.p1, it.p1_bound);
        cell(page, it.p2, it.p2_bound);
        cell(page, it.p3, it.p3_bound);
        let answers = it.answers_per_request.map_or_else(|| "–".to_owned(), |answers| format!("{answers:.2}"));
        let _ = writeln!(
            page,
            "<td>{}</td><td>{}</td><td>{:.0}</td><td>{:.2}</td><td>{:.1}</td><td>{answers}</td></tr>",
            percent(it.r1),
            percent(it.r2),
            it.bytes_per_message,
            it.packets_per_message,
            it.syncs_per_minute
        );
    }
    page.push_str("</table>\n<p>Bytes and packets are for each chat message of 200 bytes, in the whole channel.</p>\n");
}

fn compare_table(page: &mut String, compared: &[Compared]) {
    page.push_str(
        "<table><tr><th>way</th><th>bytes a message</th><th>packets</th><th>sure within S, %</th>\
         <th>99 % are sure within, s</th><th>wrongly sure</th><th>resends</th></tr>\n",
    );
    for Compared { way, measured: it } in compared {
        let seconds = it.sure_ms[1].map_or_else(|| "over 60".to_owned(), |ms| format!("{:.2}", ms as f64 / 1_000.0));
        let _ = writeln!(
            page,
            "<tr><td>{way}</td><td>{:.0}</td><td>{:.2}</td><td>{}</td><td>{seconds}</td><td>{} of {}</td><td>{:.2}</td></tr>",
            it.bytes_per_message,
            it.packets_per_message,
            percent(it.p1),
            it.wrongly_sure,
            it.messages,
            it.resends_per_message
        );
    }
    page.push_str("</table>\n<p>It is our engine each time, with the parameters of the others.</p>\n");
}
