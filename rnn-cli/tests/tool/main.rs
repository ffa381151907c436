//! The tool as a user starts it.

mod commands;
mod compiled;
mod options;
mod starts;
mod states;
