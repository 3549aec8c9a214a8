//! What waiting tasks see of a pool.
#![allow(clippy::std_instead_of_alloc, reason = "tests have the whole of std")]

use core::sync::atomic::{AtomicUsize, Ordering};
use core::task::Waker;
use std::sync::Arc;
use std::task::Wake;

use mirage_waker::{Slot, WaitList, WakerPool};

/// A task that counts how often it was woken.
#[derive(Default)]
struct Task(AtomicUsize);

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Task {
    fn new() -> (Arc<Self>, Waker) {
        let task = Arc::new(Self::default());
        (task.clone(), task.into())
    }
    fn woken(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

fn slots<const N: usize>() -> [Slot; N] {
    [const { Slot::EMPTY }; N]
}

#[test]
fn every_waiting_task_is_woken_once() {
    let mut storage = slots::<15>();
    let mut pool = WakerPool::new(&mut storage[..]);
    let mut list = WaitList::EMPTY;
    let tasks: Vec<_> = (0..8).map(|_| Task::new()).collect();
    for (_, waker) in &tasks {
        pool.register(&mut list, waker);
    }
    assert!(pool.waiting(&list));
    assert_eq!(pool.in_use(), 8);
    pool.wake(&mut list);
    pool.wake(&mut list);
    assert!(tasks.iter().all(|(task, _)| task.woken() == 1));
    assert!(!pool.waiting(&list));
    assert_eq!(pool.in_use(), 0);
}

#[test]
fn who_waits_where_another_does_takes_two_slots() {
    let mut storage = slots::<5>();
    let mut pool = WakerPool::new(&mut storage[..]);
    let (mut crowd, mut other) = (WaitList::EMPTY, WaitList::EMPTY);
    let tasks: Vec<_> = (0..4).map(|_| Task::new()).collect();
    for (_, waker) in &tasks[..3] {
        pool.register(&mut crowd, waker);
    }
    pool.register(&mut other, &tasks[3].1);
    assert_eq!(tasks[3].0.woken(), 1, "five slots are three wakers and two links");
    pool.wake(&mut crowd);
    pool.register(&mut other, &tasks[3].1);
    assert_eq!((tasks[3].0.woken(), pool.in_use()), (1, 1));
}

#[test]
fn a_slot_is_no_larger_than_a_waker() {
    assert_eq!(size_of::<Slot>(), size_of::<Waker>());
}

#[test]
fn a_task_that_asks_again_takes_one_slot() {
    let mut storage = slots::<4>();
    let mut pool = WakerPool::new(&mut storage[..]);
    let mut list = WaitList::default();
    let ((task, waker), (_, other)) = (Task::new(), Task::new());
    for _ in 0..10 {
        pool.register(&mut list, &waker);
        pool.register(&mut list, &other);
    }
    assert_eq!(pool.in_use(), 2);
    pool.wake(&mut list);
    assert_eq!(task.woken(), 1);
}

#[test]
fn lists_do_not_wake_each_other() {
    let mut storage = slots::<4>();
    let mut pool = WakerPool::new(&mut storage[..]);
    let (mut one, mut two) = (WaitList::EMPTY, WaitList::EMPTY);
    let ((first, first_waker), (second, second_waker)) = (Task::new(), Task::new());
    pool.register(&mut one, &first_waker);
    pool.register(&mut two, &second_waker);
    pool.wake(&mut one);
    assert_eq!((first.woken(), second.woken()), (1, 0));
    assert!(pool.waiting(&two));
}

#[test]
fn a_full_pool_wakes_the_oldest_of_the_same_list() {
    let mut storage = slots::<6>();
    let mut pool = WakerPool::new(&mut storage[..]);
    let mut list = WaitList::EMPTY;
    let tasks: Vec<_> = (0..5).map(|_| Task::new()).collect();
    for (_, waker) in &tasks {
        pool.register(&mut list, waker);
    }
    let woken: Vec<_> = tasks.iter().map(|(task, _)| task.woken()).collect();
    assert_eq!(woken, [1, 1, 0, 0, 0]);
    pool.wake(&mut list);
    assert!(tasks.iter().all(|(task, _)| task.woken() == 1));
    assert_eq!(pool.in_use(), 0);
}

#[test]
fn the_only_waiter_of_a_list_gives_way_in_a_full_pool() {
    let mut storage = slots::<1>();
    let mut pool = WakerPool::new(&mut storage[..]);
    let mut list = WaitList::EMPTY;
    let ((first, first_waker), (second, second_waker)) = (Task::new(), Task::new());
    pool.register(&mut list, &first_waker);
    pool.register(&mut list, &second_waker);
    assert_eq!((first.woken(), second.woken()), (1, 0));
    pool.wake(&mut list);
    assert_eq!((first.woken(), second.woken()), (1, 1));
}

#[test]
fn a_task_for_which_there_is_no_room_is_woken_at_once() {
    let mut storage = slots::<1>();
    let mut pool = WakerPool::new(&mut storage[..]);
    let (mut full, mut empty) = (WaitList::EMPTY, WaitList::EMPTY);
    let ((holder, holder_waker), (late, late_waker)) = (Task::new(), Task::new());
    pool.register(&mut full, &holder_waker);
    pool.register(&mut empty, &late_waker);
    assert_eq!((holder.woken(), late.woken()), (0, 1));
    assert!(!pool.waiting(&empty));
}

#[test]
fn a_pool_without_slots_forgets_nobody() {
    let mut pool = WakerPool::new(&mut [][..]);
    let mut list = WaitList::EMPTY;
    let (task, waker) = Task::new();
    pool.register(&mut list, &waker);
    assert_eq!(task.woken(), 1);
}

#[test]
fn clearing_wakes_nobody_and_frees_the_slots() {
    let mut storage = slots::<2>();
    let mut pool = WakerPool::new(&mut storage[..]);
    let mut list = WaitList::EMPTY;
    let (task, waker) = Task::new();
    pool.register(&mut list, &waker);
    pool.clear(&mut list);
    assert_eq!((task.woken(), pool.in_use()), (0, 0));
    // The pool and the test hold the task; the list no longer does.
    drop(waker);
    assert_eq!(Arc::strong_count(&task), 1);
}

#[test]
fn wakers_left_in_the_storage_are_dropped_by_a_new_pool() {
    let mut storage = slots::<2>();
    let (task, waker) = Task::new();
    WakerPool::new(&mut storage[..]).register(&mut WaitList::default(), &waker);
    let pool = WakerPool::new(&mut storage[..]);
    assert_eq!((pool.in_use(), task.woken(), Arc::strong_count(&task)), (0, 0, 2));
}

#[test]
fn a_list_is_two_bytes() {
    assert_eq!(size_of::<WaitList>(), 2);
}

/// How many slots such lists take: one for each waker, and a link for each but the oldest of its list.
fn slots_of(lists: &[Vec<usize>]) -> usize {
    lists.iter().map(|list| (2 * list.len()).saturating_sub(1)).sum()
}

/// Compares the pool with lists of task numbers over pseudo-random steps.
#[test]
fn no_sequence_of_steps_forgets_a_task() {
    const LISTS: usize = 4;
    const TASKS: usize = 9;
    let mut storage = slots::<7>();
    let mut pool = WakerPool::new(&mut storage[..]);
    let mut lists: [WaitList; LISTS] = Default::default();
    let mut model: [Vec<usize>; LISTS] = Default::default();
    let tasks: Vec<_> = (0..TASKS).map(|_| Task::new()).collect();
    let mut expected = [0; TASKS];
    let mut random = 1_u64;
    for _ in 0..20_000 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (list, task) = ((random >> 33) as usize % LISTS, (random >> 40) as usize % TASKS);
        match (random >> 50) % 8 {
            0 => {
                pool.wake(&mut lists[list]);
                model[list].drain(..).for_each(|task| expected[task] += 1);
            }
            1 => {
                pool.clear(&mut lists[list]);
                model[list].clear();
            }
            _ => {
                pool.register(&mut lists[list], &tasks[task].1);
                if model[list].contains(&task) {
                } else if slots_of(&model) + if model[list].is_empty() { 1 } else { 2 } <= pool.capacity() {
                    model[list].push(task);
                } else if model[list].is_empty() {
                    expected[task] += 1;
                } else {
                    expected[model[list].remove(0)] += 1;
                    model[list].push(task);
                }
            }
        }
        assert_eq!(pool.in_use(), model.iter().map(Vec::len).sum::<usize>());
        for (number, (task, _)) in tasks.iter().enumerate() {
            assert_eq!(task.woken(), expected[number]);
        }
    }
}

#[test]
fn storage_beyond_the_largest_index_is_left_alone() {
    let mut storage: Vec<Slot> = (0..70_000).map(|_| Slot::EMPTY).collect();
    let mut pool = WakerPool::new(&mut storage[..]);
    assert_eq!(pool.capacity(), 65_535);
    let tasks: Vec<_> = (0..3).map(|_| Task::new()).collect();
    let mut list = WaitList::EMPTY;
    for (_, waker) in &tasks {
        pool.register(&mut list, waker);
    }
    assert_eq!(pool.in_use(), 3);
    pool.wake(&mut list);
    assert!(tasks.iter().all(|(task, _)| task.woken() == 1));
}
