//! Streams: work that waits until something asks for its results.

use super::{
    Status, errors,
    objects::Command,
    state::{DEFAULT_STREAM, State},
};

impl State {
    /// Appends a command to a stream, or to what the stream is capturing.
    pub fn submit(&mut self, stream: usize, command: Command) -> Status {
        if self.sticky != errors::SUCCESS {
            return self.sticky;
        }
        let ticket = self.next_ticket;
        let Some(found) = self.streams.get_mut(&stream).filter(|s| !s.is_destroyed) else {
            return errors::INVALID_HANDLE;
        };
        if let Some(capture) = found.capture {
            return self.capture(capture, stream, command);
        }
        found.queue.push_back((ticket, command));
        self.next_ticket += 1;
        errors::SUCCESS
    }

    /// Runs a stream until its command with `ticket` is done.
    pub fn run_until(&mut self, stream: usize, ticket: u64) {
        loop {
            let Some(found) = self.streams.get_mut(&stream) else {
                return;
            };
            let is_blocking = found.is_blocking;
            let Some((next, _)) = found.queue.front().filter(|(next, _)| *next <= ticket) else {
                if found.is_destroyed && found.queue.is_empty() {
                    self.streams.remove(&stream);
                }
                return;
            };
            let next = *next;
            // The default stream waits for what came before it in streams that block, and they for it.
            if stream == DEFAULT_STREAM {
                let others: Vec<usize> = self
                    .streams
                    .iter()
                    .filter(|(other, s)| **other != DEFAULT_STREAM && s.is_blocking)
                    .map(|(other, _)| *other)
                    .collect();
                for other in others {
                    self.run_until(other, next - 1);
                }
            } else if is_blocking {
                self.run_until(DEFAULT_STREAM, next - 1);
            }
            let command = self
                .streams
                .get_mut(&stream)
                .and_then(|found| found.queue.pop_front());
            if let Some((_, command)) = command {
                self.execute(command);
            }
        }
    }

    pub fn run_stream(&mut self, stream: usize) {
        self.run_until(stream, u64::MAX);
    }

    /// Runs everything. Streams that nothing orders run the last one first, so that an order that a program only hopes
    /// for does not come about.
    pub fn run_all(&mut self) {
        let streams: Vec<usize> = self.streams.keys().rev().copied().collect();
        for stream in streams {
            self.run_stream(stream);
        }
    }

    /// The host waits for something. Under an odd seed all streams have gone as far as events let them by then, the last one
    /// first; under an even one only what is waited for runs. A device may do either.
    fn run_others(&mut self) {
        if self.checks.seed % 2 == 1 {
            self.run_all();
        }
    }

    /// Waits for a stream and returns the error that is left.
    pub fn synchronise(&mut self, stream: usize) -> Status {
        match self.streams.get(&stream) {
            None => return errors::INVALID_HANDLE,
            Some(found) if found.capture.is_some() => {
                self.invalidate_capture(stream);
                return errors::CAPTURE_UNSUPPORTED;
            }
            Some(_) => {}
        }
        self.run_others();
        self.run_stream(stream);
        self.sticky
    }

    /// Waits for everything, as calls do that free memory.
    pub fn synchronise_all(&mut self) -> Status {
        self.run_all();
        self.sticky
    }

    /// A command that the host waits for.
    pub fn submit_and_wait(&mut self, stream: usize, command: Command) -> Status {
        let ticket = self.next_ticket;
        match self.submit(stream, command) {
            errors::SUCCESS => {
                self.run_others();
                self.run_until(stream, ticket);
                self.sticky
            }
            error => error,
        }
    }

    pub fn is_capturing(&self, stream: usize) -> bool {
        let stream = self.streams.get(&stream);
        stream.is_some_and(|stream| stream.capture.is_some())
    }

    /// Destroys a stream; what is in it still runs when something waits.
    pub fn destroy_stream(&mut self, stream: usize) -> Status {
        match self.streams.get_mut(&stream) {
            None => errors::INVALID_HANDLE,
            Some(found) if found.queue.is_empty() => {
                self.streams.remove(&stream);
                errors::SUCCESS
            }
            Some(found) => {
                found.is_destroyed = true;
                errors::SUCCESS
            }
        }
    }

    /// Records an event at the end of a stream.
    pub fn record_event(&mut self, event: usize, stream: usize) -> Status {
        if !self.events.contains_key(&event) {
            return errors::INVALID_HANDLE;
        }
        let capture = self.streams.get(&stream).and_then(|found| found.capture);
        if let Some(capture) = capture {
            let nodes = self.ends_of(capture, stream);
            if let Some(event) = self.events.get_mut(&event) {
                event.captured = Some((capture, nodes));
            }
            return errors::SUCCESS;
        }
        let ticket = self.next_ticket;
        let status = self.submit(stream, Command::RecordEvent { event });
        if status == errors::SUCCESS
            && let Some(event) = self.events.get_mut(&event)
        {
            event.recorded = Some((stream, ticket));
            event.captured = None;
            event.time = None;
        }
        status
    }

    /// Makes a stream wait for an event.
    pub fn wait_event(&mut self, stream: usize, event: usize) -> Status {
        let Some(found) = self.events.get(&event) else {
            return errors::INVALID_HANDLE;
        };
        if let Some((capture, nodes)) = found.captured.clone() {
            return self.join_capture(capture, stream, nodes);
        }
        match found.recorded {
            Some((of, ticket)) => self.submit(stream, Command::Wait { stream: of, ticket }),
            None => errors::SUCCESS,
        }
    }

    /// Waits until an event has happened.
    pub fn synchronise_event(&mut self, event: usize) -> Status {
        match self.events.get(&event) {
            None => errors::INVALID_HANDLE,
            Some(found) if found.captured.is_some() => errors::CAPTURE_UNSUPPORTED,
            Some(found) => {
                let recorded = found.recorded;
                if let Some((stream, ticket)) = recorded {
                    self.run_others();
                    self.run_until(stream, ticket);
                }
                self.sticky
            }
        }
    }
}
