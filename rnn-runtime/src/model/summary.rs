//! Keras's table of layers.

use super::ModelInfo;

/// Keras's table: layers, output shapes, parameters.
pub(super) fn summary(spec: &ModelInfo) -> String {
    let count = |prefix: &str| -> usize {
        spec.params
            .iter()
            .filter(|p| {
                p.name
                    .strip_prefix(prefix)
                    .is_some_and(|r| r.starts_with('/'))
            })
            .map(|p| p.len())
            .sum()
    };
    let rows: Vec<[String; 3]> = spec
        .layers
        .iter()
        .map(|l| {
            [
                format!("{} ({})", l.name, l.class),
                l.shape(),
                thousands(count(l.prefix)),
            ]
        })
        .collect();
    let head = ["Layer (type)", "Output shape", "Param #"].map(String::from);
    let width = |i: usize| {
        rows.iter()
            .chain([&head])
            .map(|r| r[i].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths = [width(0), width(1), width(2)];
    let line = |l: &str, m: &str, r: &str| {
        let bars = widths.map(|w| "─".repeat(w + 2));
        format!("{l}{}{r}\n", bars.join(m))
    };
    let row = |r: &[String; 3]| {
        format!(
            "│ {:<a$} │ {:<b$} │ {:>c$} │\n",
            r[0],
            r[1],
            r[2],
            a = widths[0],
            b = widths[1],
            c = widths[2]
        )
    };
    let total: usize = spec.weights();
    let trained: usize = spec
        .params
        .iter()
        .filter(|p| p.trainable)
        .map(|p| p.len())
        .sum();
    let mut text = format!("Model: {}\n", spec.name);
    text += &line("┌", "┬", "┐");
    text += &row(&head);
    text += &line("├", "┼", "┤");
    for r in &rows {
        text += &row(r);
    }
    text += &line("└", "┴", "┘");
    text += &format!(
        " Total params: {} ({})\n Trainable params: {}\n Non-trainable params: {}\n",
        thousands(total),
        bytes(total * 4),
        thousands(trained),
        thousands(total - trained)
    );
    text
}

/// `1,234,567`
fn thousands(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, d) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(d);
    }
    out
}

/// `12.34 KB`
fn bytes(n: usize) -> String {
    match n {
        0..1024 => format!("{n} B"),
        1024..1_048_576 => format!("{:.2} KB", n as f64 / 1024.0),
        _ => format!("{:.2} MB", n as f64 / 1_048_576.0),
    }
}
