//! What is known while a tree is read again and again.

use super::fault::{Fault, diagnostic_of};
use super::node::Node;
use super::reading::Reading;
use crate::diagnostic::codes;
use crate::diagnostic::message::Diagnostic;
use std::cell::RefCell;
use std::collections::HashSet;

/// What is known while a tree is read again and again.
pub(super) struct Pass<'p, 'r> {
    pub(super) reading: RefCell<&'p mut Reading<'r>>,
    /// Could not be read, and was told.
    pub(super) left_out: RefCell<HashSet<*const Node>>,
    /// Entries without a value.
    pub(super) hollow: RefCell<HashSet<*const Node>>,
    /// Entries in which something is wrong.
    pub(super) wrong: RefCell<HashSet<*const Node>>,
    /// Entries that are being read.
    pub(super) open: RefCell<Vec<*const Node>>,
}

impl<'p, 'r> Pass<'p, 'r> {
    pub(super) fn new(reading: &'p mut Reading<'r>) -> Self {
        Self {
            reading: RefCell::new(reading),
            left_out: RefCell::default(),
            hollow: RefCell::default(),
            wrong: RefCell::default(),
            open: RefCell::default(),
        }
    }

    pub(super) fn note(&self, diagnostic: Diagnostic) {
        self.wrong.borrow_mut().extend(self.open.borrow().iter().copied());
        self.reading.borrow_mut().note(diagnostic);
    }

    pub(super) fn is_left_out(&self, node: &Node) -> bool {
        self.left_out.borrow().contains(&std::ptr::from_ref(node))
    }

    pub(super) fn leave_out(&self, node: &Node) -> Fault {
        self.wrong.borrow_mut().extend(self.open.borrow().iter().copied());
        self.left_out.borrow_mut().insert(node);
        Fault::Noted
    }

    /// Tells what is wrong with a node, and leaves it out from now on.
    pub(super) fn refuse(&self, node: &Node, diagnostic: Diagnostic) -> Fault {
        self.note(diagnostic);
        self.leave_out(node)
    }

    pub(super) fn wrong_kind(&self, node: &Node, expected: &str) -> Fault {
        self.reading.borrow_mut().wrong_kind(node, expected);
        self.leave_out(node)
    }

    /// What a type said of a value gets the value's place.
    pub(super) fn settled<T>(&self, node: &Node, read: Result<T, Fault>) -> Result<T, Fault> {
        read.map_err(|fault| match fault {
            Fault::Noted => fault,
            Fault::Says(says) => self.refuse(node, diagnostic_of(&says, &node.place)),
            Fault::Missing(key) => {
                self.refuse(node, Diagnostic::error(codes::MISSING_KEY, format!("the key `{key}` is missing")).at(&node.place))
            }
            Fault::Word(_) => self.leave_out(node),
        })
    }

    pub(super) fn text(&self, node: &Node) -> Result<String, Fault> {
        let text = self.reading.borrow_mut().text(node);
        text.ok_or_else(|| self.leave_out(node))
    }
}
