//! Holds a guest's memories and tables within its limits, and remembers what was refused.
//!
//! A refused growth is told to the guest (`memory.grow` gives -1), which may cope. If the run then ends badly, the
//! memory of the refusal is what tells "out of memory" from a bug: most languages abort like any other panic.

use wasmtime::ResourceLimiter;

use crate::limits::Limits;

/// What one store may grow to.
#[derive(Debug)]
pub(super) struct Limiter {
    memory_bytes: usize,
    memory_bytes_max: usize,
    memory_last_growth: usize,
    table_elements: usize,
    table_elements_max: usize,
    refused_bytes: Option<usize>,
    refused_elements: Option<usize>,
    instances_max: usize,
}

impl Limiter {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            memory_bytes: 0,
            memory_bytes_max: limits.memory_bytes_max,
            memory_last_growth: 0,
            table_elements: 0,
            table_elements_max: limits.table_elements_max,
            refused_bytes: None,
            refused_elements: None,
            instances_max: limits.instances_max,
        }
    }

    /// Whether it was refused anything.
    pub(super) fn has_refused(&self) -> bool {
        self.refused_bytes.is_some() || self.refused_elements.is_some()
    }

    /// The memory it would have had in all, had the first refused growth been allowed, in bytes.
    pub(super) fn refused_bytes(&self) -> Option<usize> {
        self.refused_bytes
    }

    /// The table elements it would have had in all, had the first refused growth been allowed.
    pub(super) fn refused_elements(&self) -> Option<usize> {
        self.refused_elements
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let growth = desired.saturating_sub(current);
        let total = self.memory_bytes.saturating_add(growth);
        let fits = total <= self.memory_bytes_max && maximum.is_none_or(|max| desired <= max);
        if fits {
            self.memory_bytes = total;
            self.memory_last_growth = growth;
        } else {
            self.refused_bytes.get_or_insert(total);
        }
        Ok(fits)
    }

    fn memory_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        // The system had no memory left: the growth that was just counted did not happen.
        let total = self.memory_bytes;
        self.memory_bytes -= self.memory_last_growth;
        self.memory_last_growth = 0;
        self.refused_bytes.get_or_insert(total);
        Ok(())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let total = self
            .table_elements
            .saturating_add(desired.saturating_sub(current));
        let fits = total <= self.table_elements_max && maximum.is_none_or(|max| desired <= max);
        if fits {
            self.table_elements = total;
        } else {
            self.refused_elements.get_or_insert(total);
        }
        Ok(fits)
    }

    fn instances(&self) -> usize {
        self.instances_max
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limiter() -> Limiter {
        Limiter::new(&Limits {
            memory_bytes_max: 100,
            table_elements_max: 10,
            ..Limits::default()
        })
    }

    #[test]
    fn counts_all_memories_together() {
        let mut limiter = limiter();
        assert!(limiter.memory_growing(0, 60, None).unwrap());
        assert!(limiter.memory_growing(0, 40, None).unwrap());
        assert!(!limiter.memory_growing(40, 41, None).unwrap());
        assert_eq!(limiter.refused_bytes(), Some(101));
    }

    #[test]
    fn a_growth_that_failed_is_not_counted() {
        let mut limiter = limiter();
        assert!(limiter.memory_growing(0, 60, None).unwrap());
        limiter
            .memory_grow_failed(wasmtime::Error::msg("no memory"))
            .unwrap();
        assert_eq!(limiter.refused_bytes(), Some(60));
        assert!(limiter.memory_growing(0, 100, None).unwrap());
    }

    #[test]
    fn tables_are_limited_too() {
        let mut limiter = limiter();
        assert!(limiter.table_growing(0, 8, None).unwrap());
        assert!(!limiter.table_growing(8, 11, None).unwrap());
        assert_eq!(limiter.refused_bytes(), None);
        assert_eq!(limiter.refused_elements(), Some(11));
    }
}
