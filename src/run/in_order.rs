//! Work on several threads whose results come out in the order the work came in: pieces are dealt round, one to each worker in
//! turn, and results are taken up in the same turn. So nothing has to be put in order, and nobody is ahead by more than a few pieces.

use std::{
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread,
};

use super::Failure;

/// Pieces that wait for a worker, and results that wait to be taken up: one each, so that nobody stands still for want of them.
const WAITING: usize = 1;

/// Reads on one thread, works on `threads` (1 or more), and writes on this one.
///
/// `read` hands on pieces, as long as it is told that somebody listens. `worker` makes what a thread works with.
///
/// # Errors
/// The first of `write`; else that of `read`, once all that it had handed on is written; 70 where a worker ended early.
pub(super) fn in_order<P: Send, R: Send, W: FnMut(P) -> R>(
    threads: usize,
    read: impl FnOnce(&mut dyn FnMut(P) -> bool) -> Result<(), Failure> + Send,
    worker: impl Fn() -> W + Sync,
    mut write: impl FnMut(R) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let work = |pieces: Receiver<P>, results: SyncSender<R>| {
        let mut work = worker();
        for piece in pieces {
            if results.send(work(piece)).is_err() {
                break;
            }
        }
    };
    thread::scope(|scope| {
        let (mut hands, mut results, mut workers) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..threads.max(1) {
            let (hand, pieces) = sync_channel(WAITING);
            let (give, result) = sync_channel(WAITING);
            let work = &work;
            workers.push(scope.spawn(move || work(pieces, give)));
            hands.push(hand);
            results.push(result);
        }
        let reader = scope.spawn(move || {
            let mut turn = hands.iter().cycle();
            read(&mut |piece| turn.next().is_some_and(|hand| hand.send(piece).is_ok()))
        });
        // Each in its turn: the first that has nothing more is where the reader stopped.
        let written = results.iter().cycle().map_while(|result| result.recv().ok()).try_for_each(&mut write);
        // Whoever still works or reads for nobody ends.
        drop(results);
        let bug = || Failure::bug("a thread that decided leads ended early");
        let ended: Vec<_> = workers.into_iter().map(|worker| worker.join().map_err(|_| bug())).collect();
        let read = reader.join().unwrap_or_else(|_| Err(bug()));
        written.and(ended.into_iter().collect::<Result<(), _>>()).and(read)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_their_pieces_however_long_each_takes() {
        for threads in [1, 2, 7] {
            let mut seen = Vec::new();
            let read = |give: &mut dyn FnMut(u64) -> bool| {
                assert!((0..500).all(give));
                Ok(())
            };
            // Some pieces take long.
            let worker = || |piece: u64| (0..(piece * 7919 % 13) * 1000).fold(piece, |sum, _| std::hint::black_box(sum));
            in_order(threads, read, worker, |result| {
                seen.push(result);
                Ok(())
            })
            .expect("done");
            assert_eq!(seen, (0..500).collect::<Vec<_>>());
        }
    }

    #[test]
    fn what_was_read_before_a_failure_is_written_and_a_failed_write_ends_the_reading() {
        let mut seen = 0;
        let read = |give: &mut dyn FnMut(u64) -> bool| {
            assert!((0..10).all(give));
            Err(Failure::usage("gone"))
        };
        let told = in_order(
            3,
            read,
            || |piece| piece,
            |_| {
                seen += 1;
                Ok(())
            },
        );
        assert_eq!((told, seen), (Err(Failure::usage("gone")), 10));
        let endless = |give: &mut dyn FnMut(u64) -> bool| {
            (0..u64::MAX).all(give);
            Ok(())
        };
        let told = in_order(3, endless, || |piece| piece, |piece| if piece < 5 { Ok(()) } else { Err(Failure::unavailable("full")) });
        assert_eq!(told, Err(Failure::unavailable("full")));
    }

    #[test]
    fn a_worker_that_panics_is_a_bug_and_no_shorter_result() {
        let read = |give: &mut dyn FnMut(u64) -> bool| {
            (0..u64::MAX).all(give);
            Ok(())
        };
        let told = in_order(2, read, || |piece: u64| assert_ne!(piece, 5), |()| Ok(()));
        assert_eq!(told.map_err(|failure| failure.exit), Err(70));
    }
}
