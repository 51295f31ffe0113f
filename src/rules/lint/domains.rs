//! Domains of one's own that are everybody's: who has an address there would be taken for a colleague.

use super::Lint;
use crate::{
    pipeline::is_shared_domain,
    rules::condition::space::{Answer, Example},
};

impl Lint<'_, '_> {
    pub(super) fn own_domains(&mut self) {
        for (domain, at) in self.places.own_domains() {
            if !is_shared_domain(&domain) {
                continue;
            }
            let message = format!("{domain:?} is nobody's own: anybody can have an address there, and all of them count as own_domain");
            let example = self.lead_from(&domain);
            self.tell(at, "shared_domain", message, "name the domains that only your own people have", example);
        }
    }

    /// A lead from one's own domain.
    fn lead_from(&self, domain: &str) -> Option<Example> {
        let own = self.space.formula_of_own_domain();
        let Answer::Possible(model) = self.space.can_hold(&[&own], &[], false) else { return None };
        let mut example =
            self.space.example(&model, &[], &["contact.email_domain", "own_domain"], |_| self.rules.policy.is_own_domain(domain))?;
        example.insert("contact.email_domain".to_owned(), domain.into());
        example.insert("own_domain".to_owned(), true.into());
        Some(example)
    }
}
