//! How steward is operated: signals, logs, the status page, two at a time, a run by hand beside the service.

mod by_hand;
mod given_up;
mod logs;
mod never_silent;
mod pages;
mod pod;
mod secrets;
mod serving;
mod signals;
mod two;
