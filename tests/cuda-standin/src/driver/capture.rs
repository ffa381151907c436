//! Captures and graphs.

use std::{collections::HashMap, sync::Arc};

use super::{
    Status, errors,
    objects::{Capture, Command, Graph, Node},
    state::State,
};

impl State {
    pub fn begin_capture(&mut self, stream: usize) -> Status {
        let handle = self.handle();
        let Some(found) = self.streams.get_mut(&stream) else {
            return errors::INVALID_HANDLE;
        };
        if found.capture.is_some() {
            return errors::ILLEGAL_STATE;
        }
        found.capture = Some(handle);
        let capture = Capture {
            origin: stream,
            nodes: Vec::new(),
            ends: HashMap::from([(stream, Vec::new())]),
            is_invalid: false,
        };
        self.captures.insert(handle, capture);
        errors::SUCCESS
    }

    /// Appends a command to a capture.
    pub fn capture(&mut self, capture: usize, stream: usize, command: Command) -> Status {
        if let Command::Free { .. } = command {
            self.invalidate_capture(stream);
            return self.refuse(
                errors::NOT_SUPPORTED,
                "memory is freed in a stream that is captured, which the stand-in does not know",
            );
        }
        let Some(capture) = self.captures.get_mut(&capture) else {
            return errors::CAPTURE_INVALIDATED;
        };
        let ends = capture.ends.entry(stream).or_default();
        let after = std::mem::replace(ends, vec![capture.nodes.len()]);
        capture.nodes.push(Node { command, after });
        errors::SUCCESS
    }

    /// The last nodes of a stream in a capture.
    pub fn ends_of(&self, capture: usize, stream: usize) -> Vec<usize> {
        let capture = self.captures.get(&capture);
        let ends = capture.and_then(|capture| capture.ends.get(&stream));
        ends.cloned().unwrap_or_default()
    }

    /// A stream waits for an event of a capture, and so takes part in it.
    pub fn join_capture(&mut self, capture: usize, stream: usize, nodes: Vec<usize>) -> Status {
        let Some(found) = self.streams.get_mut(&stream) else {
            return errors::INVALID_HANDLE;
        };
        let Some(taking) = self.captures.get_mut(&capture) else {
            return errors::SUCCESS;
        };
        if found.capture.is_some_and(|other| other != capture) {
            return errors::CAPTURE_IMPLICIT;
        }
        found.capture = Some(capture);
        let ends = taking.ends.entry(stream).or_default();
        ends.extend(nodes);
        errors::SUCCESS
    }

    /// Something was called that a capture cannot take.
    pub fn invalidate_capture(&mut self, stream: usize) {
        let capture = self.streams.get(&stream).and_then(|found| found.capture);
        if let Some(capture) = capture.and_then(|capture| self.captures.get_mut(&capture)) {
            capture.is_invalid = true;
        }
    }

    pub fn end_capture(&mut self, stream: usize) -> Result<usize, Status> {
        let found = self.streams.get(&stream).ok_or(errors::INVALID_HANDLE)?;
        let handle = found.capture.ok_or(errors::CAPTURE_UNMATCHED)?;
        let origin = self.captures.get(&handle).map(|capture| capture.origin);
        if origin != Some(stream) {
            return Err(errors::CAPTURE_UNMATCHED);
        }
        for stream in self.streams.values_mut() {
            if stream.capture == Some(handle) {
                stream.capture = None;
            }
        }
        let capture = self
            .captures
            .remove(&handle)
            .ok_or(errors::CAPTURE_UNMATCHED)?;
        if capture.is_invalid {
            return Err(errors::CAPTURE_INVALIDATED);
        }
        // Each stream that takes part has to come back to the first.
        let ends = capture.ends.get(&stream).cloned().unwrap_or_default();
        let followed = |node: usize| {
            ends.contains(&node)
                || capture
                    .nodes
                    .iter()
                    .any(|other| other.after.contains(&node))
        };
        if !(0..capture.nodes.len()).all(followed) {
            return Err(errors::CAPTURE_UNJOINED);
        }
        let graph = self.handle();
        let nodes = capture.nodes;
        self.graphs.insert(graph, Arc::new(Graph { nodes }));
        Ok(graph)
    }

    /// Runs a graph. Of the nodes that may run next it takes the last, so that a missing dependency shows.
    pub fn execute_graph(&mut self, graph: &Graph) {
        let mut done = vec![false; graph.nodes.len()];
        while let Some(next) = (0..graph.nodes.len()).rev().find(|node| {
            let after = &graph.nodes[*node].after;
            !done[*node] && after.iter().all(|before| done[*before])
        }) {
            done[next] = true;
            self.execute(graph.nodes[next].command.clone());
        }
    }
}
