//! Plots, as SVG.

use plotters::prelude::*;
use plotters::style::full_palette;

use crate::figures::{KINDS, Times};
use crate::furps::Measured;

const SIZE: (u32, u32) = (960, 320);
const COLOURS: [RGBColor; 6] = [
    full_palette::BLUE,
    full_palette::DEEPORANGE,
    full_palette::GREEN,
    full_palette::PURPLE,
    full_palette::BROWN,
    full_palette::GREY,
];

type Failed = Box<dyn std::error::Error>;

/// P1, P2 and P3 over the loss: a line for each group size, dashed its bound.
pub fn shares(measured: &[&Measured], sizes: &[u32], name: &str) -> Result<String, String> {
    draw(|root| {
        let areas = root.titled(name, ("sans-serif", 16))?.split_evenly((1, 3));
        type Figure = (&'static str, fn(&Measured) -> [Option<f64>; 2]);
        let figures: [Figure; 3] = [
            ("P1: sender sure within S", |it| [it.p1, it.p1_bound]),
            ("P2: miss detected within 3 S", |it| [it.p2, it.p2_bound]),
            ("P3: message here within 6 S", |it| [it.p3, it.p3_bound]),
        ];
        for (area, (title, of)) in areas.iter().zip(figures) {
            let least = measured.iter().flat_map(|it| of(it)).flatten().fold(0.98, f64::min);
            let mut chart = ChartBuilder::on(area)
                .caption(title, ("sans-serif", 14))
                .margin(6)
                .x_label_area_size(38)
                .y_label_area_size(44)
                .build_cartesian_2d(0.0..31.0, (least - 0.01)..1.002)?;
            chart
                .configure_mesh()
                .x_desc("loss, %")
                .y_label_formatter(&|share| format!("{:.1} %", share * 100.0))
                .light_line_style(TRANSPARENT)
                .draw()?;
            for (size, colour) in sizes.iter().zip(COLOURS) {
                let points = |which: usize| {
                    let of_size = measured.iter().filter(|it| it.participants == *size);
                    of_size.filter_map(|it| Some((it.loss_percent, of(it)[which]?))).collect::<Vec<_>>()
                };
                chart.draw_series(DashedLineSeries::new(points(1), 4, 4, colour.stroke_width(1)))?;
                let line = chart.draw_series(LineSeries::new(points(0), colour.stroke_width(2)).point_size(2))?;
                line.label(size.to_string()).legend(move |(x, y)| PathElement::new([(x, y), (x + 12, y)], colour));
            }
            chart.configure_series_labels().position(SeriesLabelPosition::LowerLeft).draw()?;
        }
        Ok(())
    })
}

/// How long it took to be sure, to notice, and to have.
pub fn times(it: &Measured, name: &str) -> Result<String, String> {
    let pairs = it.messages * u64::from(it.participants.saturating_sub(1));
    draw(|root| {
        let title = format!("{name}: share by time, {} members, {} % lost", it.participants, it.loss_percent);
        let mut chart = ChartBuilder::on(root)
            .caption(title, ("sans-serif", 14))
            .margin(6)
            .x_label_area_size(38)
            .y_label_area_size(44)
            .build_cartesian_2d(0.0..35.0, 0.0..1.01)?;
        chart.configure_mesh().x_desc("seconds since it was said").light_line_style(TRANSPARENT).draw()?;
        let all = &it.times;
        for ((label, times, of), colour) in [
            ("a sender is sure", &all.sure, it.messages),
            ("bound of that", &all.sure_bound, it.messages),
            ("a miss is noticed", &all.detected, it.missed),
            ("bound of that", &all.detected_bound, it.missed),
            ("a message is here", &all.had, pairs),
        ]
        .into_iter()
        .zip(COLOURS)
        {
            let line = chart.draw_series(LineSeries::new(cumulated(times, of), colour.stroke_width(2)))?;
            line.label(label).legend(move |(x, y)| PathElement::new([(x, y), (x + 12, y)], colour));
        }
        chart.configure_series_labels().position(SeriesLabelPosition::LowerRight).draw()?;
        Ok(())
    })
}

fn cumulated(times: &Times, of: u64) -> Vec<(f64, f64)> {
    let mut sum = 0;
    let mut points = vec![(0.0, 0.0)];
    for (step, count) in times.counts.iter().enumerate() {
        sum += count;
        points.push(((step as u64 + 1) as f64 * times.step_ms as f64 / 1_000.0, sum as f64 / of.max(1) as f64));
    }
    points
}

/// What is sent, over time, by kind.
pub fn traffic(it: &Measured, name: &str) -> Result<String, String> {
    draw(|root| {
        let most = it.traffic.iter().flatten().copied().max().unwrap_or(1);
        let title = format!("{name}: packets in ten seconds, {} members, {} % lost", it.participants, it.loss_percent);
        let minutes = it.traffic.len() as f64 / 6.0;
        let mut chart = ChartBuilder::on(root)
            .caption(title, ("sans-serif", 14))
            .margin(6)
            .x_label_area_size(38)
            .y_label_area_size(44)
            .build_cartesian_2d(0.0..minutes, 0.0..f64::from(most))?;
        chart.configure_mesh().x_desc("minutes").light_line_style(TRANSPARENT).draw()?;
        for (kind, colour) in COLOURS.into_iter().enumerate() {
            if it.traffic.iter().all(|slot| slot[kind] == 0) {
                continue;
            }
            let points = it.traffic.iter().enumerate().map(|(at, slot)| (at as f64 / 6.0, f64::from(slot[kind])));
            let line = chart.draw_series(LineSeries::new(points, colour.stroke_width(1)))?;
            line.label(KINDS[kind]).legend(move |(x, y)| PathElement::new([(x, y), (x + 12, y)], colour));
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperRight)
            .background_style(WHITE.mix(0.8))
            .draw()?;
        Ok(())
    })
}

fn draw(
    body: impl FnOnce(&DrawingArea<SVGBackend<'_>, plotters::coord::Shift>) -> Result<(), Failed>,
) -> Result<String, String> {
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        root.fill(&WHITE).map_err(|error| error.to_string())?;
        body(&root).map_err(|error| error.to_string())?;
        root.present().map_err(|error| error.to_string())?;
    }
    Ok(svg)
}
