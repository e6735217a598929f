//! `sds-sim`: whole groups of engines on a made-up network, on one clock and out of one seed.
//!
//! ```text
//! scenario (plain data) -> world (network, engines, store node) -> checkers (promises) and figures (P1 to R2)
//! ```
//!
//! | command | what it does |
//! |---|---|
//! | `swarm` | many runs of scenarios drawn from their seeds, held to all promises |
//! | `run` | one run of a scenario in a file |
//! | `report` | the same over loss and group size, as a page |
//! | `furps` | groups that chat, measured: P1 to R2, beside their bounds, and what it costs |

mod bits;
mod chance;
mod check;
mod draw;
mod figures;
mod furps;
mod ledger;
mod member;
mod network;
mod progress;
mod report;
mod scenario;
mod speech;
mod store_node;
mod swarm;
mod wheel;
mod world;

use std::alloc::System;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use cap::Cap;
use clap::{Args, Parser, Subcommand};

use furps::{Case, Measured, Profile, Repair};
use scenario::Scenario;
use swarm::Outcome;
use world::Plant;

/// The system's memory, counted.
#[global_allocator]
static HEAP: Cap<System> = Cap::new(System, usize::MAX);

/// Whole groups of SDS engines on a made-up network, out of one seed.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Many runs, each of a scenario drawn from its seed; stops at the first that breaks a promise
    Swarm(SwarmArgs),
    /// One run of a scenario in a file, as `swarm` prints it
    Run(RunArgs),
    /// Groups that chat, measured: P1 to R2 beside their bounds, and what it costs
    Furps(FurpsArgs),
    /// The same over loss and group size, as a page with plots, and as JSON
    Report(ReportArgs),
}

#[derive(Debug, Args)]
struct ReportArgs {
    /// Group sizes
    #[arg(long, value_delimiter = ',', default_value = "10,100,1000")]
    participants: Vec<u32>,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where it is written
    #[arg(long, default_value = "target/sim")]
    out: PathBuf,
    /// Where a short version is written, too
    #[arg(long)]
    docs: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct SwarmArgs {
    /// Runs, each with the next seed
    #[arg(long, default_value_t = 1_000)]
    runs: u64,
    /// The first seed
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Tell everything that happens, of a single run
    #[arg(long)]
    trace: bool,
    /// Make a mistake on purpose
    #[arg(long, hide = true)]
    plant: Option<Plant>,
}

#[derive(Debug, Args)]
struct RunArgs {
    /// A scenario, as JSON
    scenario: PathBuf,
    /// Tell everything that happens
    #[arg(long)]
    trace: bool,
}

#[derive(Debug, Args)]
struct FurpsArgs {
    /// Group sizes
    #[arg(long, value_delimiter = ',', default_value = "100")]
    participants: Vec<u32>,
    /// Packets that are lost, in percent
    #[arg(long, value_delimiter = ',', default_value = "10")]
    loss: Vec<f64>,
    /// Who repairs what is missing
    #[arg(long, value_delimiter = ',', default_value = "store")]
    repair: Vec<Repair>,
    /// The wire format
    #[arg(long, value_delimiter = ',', default_value = "rfc")]
    profile: Vec<Profile>,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Messages that count; without: enough for the group's size
    #[arg(long)]
    messages: Option<u32>,
    /// Messages as they lie in a file: lines of milliseconds, speaker, bytes
    #[arg(long)]
    pattern: Option<PathBuf>,
    /// A setting of the engine, as in sync_confirm_ms=1000
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// A line of JSON for each group
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Swarm(args) => swarm_command(&args),
        Command::Run(args) => run_command(&args),
        Command::Furps(args) => furps_command(&args),
        Command::Report(args) => report_command(&args),
    };
    done.unwrap_or_else(|error| {
        eprintln!("sds-sim: {error}");
        ExitCode::FAILURE
    })
}

fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn run_command(args: &RunArgs) -> Result<ExitCode, String> {
    let scenario: Scenario = serde_json::from_str(&read(&args.scenario)?)
        .map_err(|error| format!("{}: {error}", args.scenario.display()))?;
    let outcome = swarm::run_scenario(&scenario, None, args.trace);
    print_trace(&outcome);
    println!("run: {} deliveries, packets {}", outcome.deliveries, outcome.digest);
    let Err(violation) = outcome.result else { return Ok(ExitCode::SUCCESS) };
    println!("run: fails: {violation}");
    Ok(ExitCode::FAILURE)
}

fn print_trace(outcome: &Outcome) {
    for moment in &outcome.trace {
        let message = moment.message.map_or_else(String::new, |message| format!(" message {message}"));
        let (seconds, ms) = (moment.at_ms / 1_000, moment.at_ms % 1_000);
        println!("{seconds:>9}.{ms:03} participant {}{message}: {}", moment.who, moment.what);
    }
}

fn furps_command(args: &FurpsArgs) -> Result<ExitCode, String> {
    let pattern = args.pattern.as_deref().map(|path| speech::recorded(&read(path)?)).transpose()?;
    if !args.json {
        println!("{}", furps::heading());
    }
    for participants in &args.participants {
        for profile in &args.profile {
            for repair in &args.repair {
                for loss_percent in &args.loss {
                    let case = Case {
                        participants: *participants,
                        loss_percent: *loss_percent,
                        seed: args.seed,
                        repair: *repair,
                        profile: *profile,
                        messages: args.messages.unwrap_or_else(|| furps::messages_for(*participants)),
                        speech: pattern.clone(),
                        set: args.set.clone(),
                    };
                    print_measured(&measure(&case)?, args.json)?;
                }
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn report_command(args: &ReportArgs) -> Result<ExitCode, String> {
    let bar = progress::bar(1, "cases");
    report::write(&args.participants, args.seed, &args.out, args.docs.as_deref(), |done, total| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    })?;
    bar.finish_and_clear();
    println!("report: {}", args.out.join("report.html").display());
    Ok(ExitCode::SUCCESS)
}

fn measure(case: &Case) -> Result<Measured, String> {
    let bar = progress::bar(100, "%");
    let measured = furps::measure(
        case,
        || HEAP.allocated(),
        |step, deliveries| {
            bar.set_position(step);
            bar.set_message(format!("{deliveries} deliveries"));
        },
    );
    bar.finish_and_clear();
    measured
}

fn print_measured(measured: &Measured, json: bool) -> Result<(), String> {
    if json {
        println!("{}", serde_json::to_string(measured).map_err(|error| error.to_string())?);
    } else {
        println!("{}", furps::line(measured));
    }
    // Not part of what is measured: it differs from run to run.
    eprintln!(
        "{} deliveries in {:.1} s, {:.0} a second; {} bytes of memory per participant",
        measured.deliveries,
        measured.seconds,
        measured.deliveries as f64 / measured.seconds,
        measured.heap_per_participant
    );
    Ok(())
}

fn swarm_command(args: &SwarmArgs) -> Result<ExitCode, String> {
    let bar = progress::bar(args.runs, "runs");
    let swarm = swarm::swarm(args.seed, args.runs, args.plant, |_| bar.inc(1));
    bar.finish_and_clear();
    println!("swarm: {} runs from seed {}, {} deliveries", swarm.runs, args.seed, swarm.deliveries);
    let Some((seed, violation)) = swarm.failed else { return Ok(ExitCode::SUCCESS) };
    println!("swarm: seed {seed} fails: {violation}");
    println!("{}", serde_json::to_string(&draw::scenario(seed)).map_err(|error| error.to_string())?);
    let again = swarm::run(seed, args.plant, true);
    if args.trace {
        print_trace(&again);
    }
    let same = again.result == Err(violation);
    println!("replayed: {}", if same { "the same happens" } else { "SOMETHING ELSE HAPPENS: it is not deterministic" });
    println!("to see it: sds-sim swarm --seed {seed} --runs 1 --trace");
    Ok(ExitCode::FAILURE)
}
