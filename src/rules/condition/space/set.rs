//! A set of rows: numbers below a size that is known. Bits and no more.

/// Some of the first `size` numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Set {
    words: Vec<u64>,
    size: usize,
}

impl Set {
    /// The numbers below `size` for which it holds.
    pub(super) fn of(size: usize, mut holds: impl FnMut(usize) -> bool) -> Self {
        let mut set = Self::none(size);
        (0..size).filter(|number| holds(*number)).for_each(|number| set.insert(number));
        set
    }

    pub(super) fn none(size: usize) -> Self {
        Self { words: vec![0; size.div_ceil(64)], size }
    }

    pub(super) fn all(size: usize) -> Self {
        Self::none(size).turned()
    }

    pub(super) fn contains(&self, number: usize) -> bool {
        self.words.get(number / 64).is_some_and(|word| word >> (number % 64) & 1 == 1)
    }

    /// How many numbers there could be.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    pub(super) fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    pub(super) fn is_all(&self) -> bool {
        self.words.iter().map(|word| word.count_ones() as usize).sum::<usize>() == self.size
    }

    pub(super) fn meets(&self, other: &Self) -> bool {
        self.words.iter().zip(&other.words).any(|(left, right)| left & right != 0)
    }

    pub(super) fn lies_in(&self, other: &Self) -> bool {
        self.words.iter().zip(&other.words).all(|(left, right)| left & !right == 0)
    }

    /// Keeps what both have.
    pub(super) fn narrow(&mut self, other: &Self) {
        self.words.iter_mut().zip(&other.words).for_each(|(left, right)| *left &= right);
    }

    /// Takes in what the other has.
    pub(super) fn widen(&mut self, other: &Self) {
        self.words.iter_mut().zip(&other.words).for_each(|(left, right)| *left |= right);
    }

    pub(super) fn insert(&mut self, number: usize) {
        self.put(number, true);
    }

    /// Takes the number in, or out.
    pub(super) fn put(&mut self, number: usize, is_in: bool) {
        if let Some(word) = self.words.get_mut(number / 64) {
            *word = *word & !(1 << (number % 64)) | u64::from(is_in) << (number % 64);
        }
    }

    /// All the others.
    pub(super) fn turned(&self) -> Self {
        let mut turned = Self { words: self.words.iter().map(|word| !word).collect(), size: self.size };
        if let (Some(last), within @ 1..) = (turned.words.last_mut(), self.size % 64) {
            *last &= (1 << within) - 1;
        }
        turned
    }

    /// From the least on.
    pub(super) fn iter(&self) -> impl Iterator<Item = usize> {
        let bits = |mut word: u64| {
            std::iter::from_fn(move || {
                let bit = (word != 0).then(|| word.trailing_zeros() as usize)?;
                word &= word - 1;
                Some(bit)
            })
        };
        self.words.iter().enumerate().flat_map(move |(at, word)| bits(*word).map(move |bit| at * 64 + bit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_cut_joined_and_turned_round() {
        let even = Set::of(130, |number| number % 2 == 0);
        let large = Set::of(130, |number| number > 120);
        let mut both = even.clone();
        both.narrow(&large);
        assert_eq!(both.iter().collect::<Vec<_>>(), [122, 124, 126, 128]);
        assert!(both.lies_in(&even) && both.meets(&large) && !both.meets(&even.turned()));
        assert!(!both.contains(121) && both.contains(128) && !both.contains(500));
        assert_eq!((both.size(), Set::all(64).turned().is_empty(), Set::all(130).is_all(), even.is_all()), (130, true, true, false));
    }
}
