//! Figures: what was measured, what it may be at most, and how both are told.

use std::process::ExitCode;

/// One measured value.
pub struct Figure {
    name: String,
    value: f64,
    unit: &'static str,
    /// `None`: told for information only.
    limit: Option<f64>,
}

impl Figure {
    /// A figure that must not exceed `limit`. Only what does not depend on the machine has one: ratios and counts.
    pub fn limited(name: impl Into<String>, value: f64, unit: &'static str, limit: f64) -> Self {
        Self { name: name.into(), value, unit, limit: Some(limit) }
    }

    /// A figure without a limit.
    pub fn plain(name: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self { name: name.into(), value, unit, limit: None }
    }

    fn is_over(&self) -> bool {
        // A value that is no number passes no limit.
        self.limit.is_some_and(|limit| self.value.is_nan() || self.value > limit)
    }
}

/// One figure measured in several settings: each under its own name, and the worst under the plain one, which counts.
pub fn worst(name: &str, unit: &'static str, limit: f64, settings: &[(String, f64)]) -> Vec<Figure> {
    let each = settings.iter().map(|(setting, value)| Figure::plain(format!("{name}_{setting}"), *value, unit));
    let worst = settings.iter().map(|setting| setting.1).fold(f64::MIN, f64::max);
    each.chain([Figure::limited(name, worst, unit, limit)]).collect()
}

/// Prints one line per figure, and fails if any is over its limit.
pub fn report(figures: &[Figure]) -> ExitCode {
    for figure in figures {
        let digits = if figure.value.fract() == 0.0 { 0 } else { 2 };
        println!("bench: {} {:.digits$} {}", figure.name, figure.value, figure.unit);
    }
    let mut code = ExitCode::SUCCESS;
    for figure in figures.iter().filter(|figure| figure.is_over()) {
        let limit = figure.limit.unwrap_or_default();
        eprintln!("over its limit: {} {:.2}, at most {limit} {}", figure.name, figure.value, figure.unit);
        code = ExitCode::FAILURE;
    }
    code
}
