//! `recurrent plan`.

use serde_json::json;

use crate::{arguments::ModelFile, compile, failure::Done, model::Opened, output::Output};

/// Prints what the compiler decides.
///
/// # Errors
/// If the file or the model is wrong.
pub fn plan(file: &ModelFile, output: Output) -> Done<()> {
    let model = Opened::read(file)?.model()?;
    let plan = compile::plan(model.text(), &model.network.cells)?;
    output.notes(&model.notes);
    let json = json!({
        "file": file.file,
        "streams": plan.streams(),
        "notes": model.notes,
        "plan": plan.text,
    });
    output.print(&plan.text, &json)
}
