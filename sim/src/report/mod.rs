//! The report: every figure over loss and group size, as a page that needs nothing but itself, and as JSON.

mod compare;
mod life;
mod page;
mod plot;
mod short;

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::Serialize;

use crate::furps::{self, Case, Measured, Profile, Repair};
use compare::Compared;

pub const LOSSES: [f64; 5] = [1.0, 5.0, 10.0, 20.0, 30.0];
pub const REPAIRS: [Repair; 3] = [Repair::Store, Repair::Sdsr, Repair::Neither];
pub const PROFILES: [Profile; 2] = [Profile::Rfc, Profile::Libsds];
/// The group and the loss of which a page shows more.
const CLOSE_UP: (u32, f64) = (100, 10.0);

#[derive(Debug, Serialize)]
struct Report<'a> {
    command: String,
    cases: &'a [Measured],
    compared: &'a [Compared],
}

/// Measures groups of these sizes, and writes `report.html`, `report.json` and the plots into a folder; into another, if it
/// is given, the short version.
pub fn write(
    sizes: &[u32],
    seed: u64,
    folder: &Path,
    docs: Option<&Path>,
    progress: impl Fn(usize, usize) + Sync,
) -> Result<(), String> {
    let mut cases = Vec::new();
    for participants in sizes.iter().copied() {
        for profile in PROFILES {
            for repair in REPAIRS {
                let case = |loss_percent| Case { loss_percent, ..Case::new(participants, repair, profile, seed) };
                cases.extend(LOSSES.map(case));
            }
        }
    }
    let ways = compare::cases(seed);
    let total = cases.len() + ways.len();
    let done = AtomicUsize::new(0);
    let step = || progress(done.fetch_add(1, Ordering::Relaxed) + 1, total);
    let measured = all(&cases, &step)?;
    let compared = all(&ways.iter().map(|way| way.1.clone()).collect::<Vec<_>>(), &step)?;
    let compared: Vec<Compared> = ways.into_iter().zip(compared).map(|(way, it)| Compared::new(way.0, it)).collect();
    let sizes_given = sizes.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
    let command = format!("make sim SIZES={sizes_given} SEED={seed}");
    let report = Report { command, cases: &measured, compared: &compared };
    let json = serde_json::to_string_pretty(&report).map_err(|error| error.to_string())?;
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    std::fs::create_dir_all(folder).map_err(failed)?;
    std::fs::write(folder.join("report.json"), json).map_err(failed)?;
    let plots = plots(&measured, sizes)?;
    for (name, svg) in &plots {
        std::fs::write(folder.join(format!("{name}.svg")), svg).map_err(failed)?;
    }
    if let Some(docs) = docs {
        short::write(&report.command, &measured, &compared, &plots, docs)?;
    }
    let life = life::of_a_message(seed)?;
    let html = page::html(&report.command, &measured, &compared, &plots, &life);
    std::fs::write(folder.join("report.html"), html).map_err(failed)
}

/// Measures all cases, two at a time: each is a world of its own.
fn all(cases: &[Case], step: &(impl Fn() + Sync)) -> Result<Vec<Measured>, String> {
    let next = AtomicUsize::new(0);
    let results: Mutex<Vec<(usize, Result<Measured, String>)>> = Mutex::default();
    let work = || {
        while let Some((place, case)) =
            Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|at| Some((at, cases.get(at)?)))
        {
            let result = furps::measure(case, || 0, |_, _| ());
            step();
            if let Ok(mut results) = results.lock() {
                results.push((place, result));
            }
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(work);
        work();
    });
    let mut results = results.into_inner().map_err(|_| "a run panicked".to_owned())?;
    results.sort_by_key(|result| result.0);
    results.into_iter().map(|result| result.1).collect()
}

/// A name and an SVG each.
fn plots(measured: &[Measured], sizes: &[u32]) -> Result<Vec<(String, String)>, String> {
    let mut plots = Vec::new();
    for profile in PROFILES {
        for repair in REPAIRS {
            let of: Vec<&Measured> =
                measured.iter().filter(|it| it.profile == profile && it.repair == repair).collect();
            let name = format!("{}-{}", furps::name(&profile), furps::name(&repair));
            plots.push((format!("shares-{name}"), plot::shares(&of, sizes, &name)?));
            let close_up = of.iter().find(|it| (it.participants, it.loss_percent) == CLOSE_UP);
            if let Some(it) = close_up {
                plots.push((format!("times-{name}"), plot::times(it, &name)?));
                plots.push((format!("traffic-{name}"), plot::traffic(it, &name)?));
            }
        }
    }
    Ok(plots)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_shows_every_case_and_every_plot() {
        let small = |case: Case| Case { messages: 20, ..case };
        let cases: Vec<Case> = REPAIRS
            .into_iter()
            .map(|repair| small(Case { loss_percent: 10.0, ..Case::new(6, repair, Profile::Libsds, 1) }))
            .collect();
        let measured = all(&cases, &|| ()).unwrap();
        // In the order of the cases, whoever was done first.
        assert_eq!(measured.iter().map(|it| it.repair).collect::<Vec<_>>(), REPAIRS);
        let plots = plots(&measured, &[6]).unwrap();
        let compared = [Compared::new("ours", all(&cases[..1], &|| ()).unwrap().remove(0))];
        let life = life::of_a_message(1).unwrap();
        let html = page::html("make sim", &measured, &compared, &plots, &life);
        assert_eq!(html.matches("<svg").count(), plots.len() + 1);
        for shown in ["sdsr", "neither", "make sim", "ours", "</html>"] {
            assert!(html.contains(shown), "{shown}");
        }
        // The name of what SVG is, and no other place.
        assert_eq!(html.matches("http://").count(), html.matches("http://www.w3.org/2000/svg").count());
        let folder = std::env::temp_dir().join(format!("sds-sim-report-{}", std::process::id()));
        short::write("make sim", &measured, &compared, &plots, &folder).unwrap();
        let text = std::fs::read_to_string(folder.join("figures.md")).unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(text.contains("| 6 | libsds | sdsr |") && text.contains("| ours |"), "{text}");
    }
}
