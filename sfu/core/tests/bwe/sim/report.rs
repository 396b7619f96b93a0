//! The table in Markdown and a drawing of each run.

use std::fmt::Write;

use super::cases::Case;
use super::measure::{Measured, Sample};

const COLOURS: [&str; 5] = ["#1668b0", "#c2410c", "#15803d", "#7e22ce", "#a16207"];
const WIDTH: f64 = 900.0;
const LEFT: f64 = 60.0;
const RATE_HEIGHT: f64 = 220.0;
const QUEUE_TOP: f64 = 300.0;
const QUEUE_HEIGHT: f64 = 100.0;

/// What of the wanted was missed; empty: all was met.
pub fn missed(case: &Case, run: &Measured) -> Vec<&'static str> {
    let wanted = case.wanted;
    let checks = [
        ("utilisation", run.utilisation >= wanted.utilisation),
        ("queue", run.queue_p95_ms <= wanted.queue_p95_ms),
        ("loss", run.loss <= wanted.loss),
        ("convergence", run.convergence_s <= wanted.convergence_s),
        ("fairness", run.fairness >= wanted.fairness),
    ];
    checks
        .into_iter()
        .filter(|(_, met)| !met)
        .map(|(name, _)| name)
        .collect()
}

pub fn table_head() -> String {
    "| case | what | utilisation | queue p50 / p95 ms | loss % | convergence s | fairness | met |\n\
     |---|---|---|---|---|---|---|---|\n"
        .to_owned()
}

pub fn table_row(case: &Case, run: &Measured) -> String {
    let missed = missed(case, run);
    let met = if missed.is_empty() {
        "yes".to_owned()
    } else {
        format!("no: {}", missed.join(", "))
    };
    let wanted = case.wanted;
    format!(
        "| [{name}]({name}.svg) | {} | {:.2} (≥ {:.2}) | {:.0} / {:.0} (≤ {:.0}) | {:.2} (≤ {:.0}) | {:.1} (≤ {:.0}) | {:.2} (≥ {:.2}) | {met} |\n",
        case.title,
        run.utilisation,
        wanted.utilisation,
        run.queue_p50_ms,
        run.queue_p95_ms,
        wanted.queue_p95_ms,
        run.loss * 100.0,
        wanted.loss * 100.0,
        run.convergence_s,
        wanted.convergence_s,
        run.fairness,
        wanted.fairness,
        name = case.name,
    )
}

/// Capacity grey, each flow's arriving rate in a colour, its estimate thin; queue below.
pub fn svg(case: &Case, run: &Measured) -> String {
    let samples = &run.trace.samples;
    let arrived = samples.iter().flat_map(|s| s.arrived_kbps.iter().copied());
    let capacity = samples.iter().map(|s| s.capacity_kbps.min(6_000) as f64);
    let top = arrived.chain(capacity).fold(500.0_f64, f64::max) * 1.1;
    let queue_top = samples.iter().map(|s| s.queue_ms).fold(100.0_f64, f64::max) * 1.1;
    let x = |second: f64| LEFT + second / case.seconds * (WIDTH - LEFT - 10.0);
    let y = |kbps: f64| 40.0 + RATE_HEIGHT * (1.0 - (kbps / top).min(1.0));
    let queue_y = |ms: f64| QUEUE_TOP + QUEUE_HEIGHT * (1.0 - (ms / queue_top).min(1.0));
    let line = |value: &dyn Fn(&Sample) -> f64, place: &dyn Fn(f64) -> f64, style: &str| {
        let points: String = samples.iter().fold(String::new(), |mut points, sample| {
            let _ = write!(
                points,
                "{:.1},{:.1} ",
                x(sample.second),
                place(value(sample))
            );
            points
        });
        format!("<polyline fill=\"none\" {style} points=\"{points}\"/>\n")
    };
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} 430\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"{WIDTH}\" height=\"430\" fill=\"white\"/>\n<text x=\"{LEFT}\" y=\"20\" font-size=\"14\">{}: {}</text>\n",
        case.name, case.title
    );
    for part in 0..=4 {
        let kbps = top * f64::from(part) / 4.0;
        let second = case.seconds * f64::from(part) / 4.0;
        let _ = write!(
            out,
            "<line x1=\"{LEFT}\" x2=\"{}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"#e5e7eb\"/>\n<text x=\"4\" y=\"{:.1}\">{kbps:.0} kb/s</text>\n<text x=\"{:.1}\" y=\"420\">{second:.0} s</text>\n",
            WIDTH - 10.0,
            y(kbps) + 4.0,
            x(second) - 8.0,
            y = y(kbps),
        );
    }
    let _ = writeln!(
        out,
        "<text x=\"4\" y=\"{:.0}\">{queue_top:.0} ms queue</text>",
        QUEUE_TOP - 4.0
    );
    out.push_str(&line(
        &|s| s.capacity_kbps as f64,
        &y,
        "stroke=\"#9ca3af\" stroke-width=\"2\"",
    ));
    for flow in 0..case.flows.len() {
        let colour = COLOURS[flow % COLOURS.len()];
        let thin = format!("stroke=\"{colour}\" stroke-width=\"0.7\" stroke-dasharray=\"3 2\"");
        out.push_str(&line(&|s| s.estimate_kbps[flow], &y, &thin));
        let thick = format!("stroke=\"{colour}\" stroke-width=\"1.2\"");
        out.push_str(&line(&|s| s.arrived_kbps[flow], &y, &thick));
    }
    out.push_str(&line(&|s| s.queue_ms, &queue_y, "stroke=\"#dc2626\""));
    out.push_str("</svg>\n");
    out
}
