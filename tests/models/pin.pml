/* The PIN judge's counter for one card, as it ships: a second opinion beside the explorer.

   Terminals try PINs at the same time, operators unlock, and the judge dies between any two steps,
   also while it starts. A transaction is one step, for SQLite makes it one. A line that begins with
   "stands for" names the function of the judge that the next lines follow; a test sees to it that
   there is one of that name, and docs/proofs/pin-counter.md says what is left out.

   -DPLANTED_... plants a fault that must be found. */

#ifndef TERMINALS
#define TERMINALS 3
#endif
#ifndef ATTEMPTS            /* of each terminal */
#define ATTEMPTS 4
#endif
#ifndef DEATHS              /* of the judge */
#define DEATHS 3
#endif
#ifndef UNLOCKS             /* by two operators */
#define UNLOCKS 1
#endif
#define TRIES_MAX 3

mtype = { RIGHT, WRONG, BURNED };

/* On the disk. */
byte tries_left = TRIES_MAX;
bool locked = false;
bool waits[TERMINALS];             /* the attempt was counted, and has no outcome yet */

/* In memory: an attempt that was under way when the judge died goes no further. */
bool serving = true;
bool under_way[TERMINALS];

/* Ghosts: nothing above reads them. */
byte compared = 0;                 /* comparisons since the last reset that is on the disk */
byte failed = 0;                   /* failures settled since then */
byte pending = 0;                  /* tries that were counted and not settled */

/* Each try is on the card, under way or settled: none is lost, and none is given. */
inline balance() {
  assert(tries_left + pending + failed == TRIES_MAX);
  assert(locked == (failed == TRIES_MAX))
}

inline reset_tries() {
  tries_left = TRIES_MAX; failed = 0; compared = 0
}

/* stands for store.JudgeStore.count_try, tries.count_try */
inline count_try(t) {
  if
#ifndef PLANTED_TWO_PENDING
  :: pending > 0 -> skip                                           /* BUSY: the unique index */
#endif
  :: tries_left == 0 -> skip                                       /* LOCKED */
  :: else -> tries_left--; pending++; waits[t] = true
  fi;
  balance()
}

/* stands for judge.PinJudge._compare */
inline compare() {
  if
  :: found = RIGHT; compared++
  :: found = WRONG; compared++
  :: found = BURNED                                                /* its pepper was revoked */
  fi;
  assert(compared <= TRIES_MAX)
}

/* stands for tries.settle_try, tries._tries_after */
inline settle(t, as) {
  waits[t] = false; pending--;
  if
  :: as == RIGHT -> reset_tries()
  :: else -> failed++; if :: tries_left == 0 -> locked = true :: else fi
  fi
}

/* stands for judge.PinJudge._judge_pin, store.JudgeStore.settle_try */
proctype Terminal(byte t) {
  byte left = ATTEMPTS;
  mtype found;

  do
  :: atomic {
       serving && left > 0 -> left--; under_way[t] = true;
#ifdef PLANTED_COMPARE_FIRST
       if :: tries_left > 0 -> compare() :: else -> goto gone fi
     };
     atomic { if :: !under_way[t] -> goto gone :: else -> count_try(t) fi
#else
       count_try(t);
       if :: !waits[t] -> goto gone :: else fi
     };
     atomic { if :: !under_way[t] -> goto gone :: else -> compare() fi
#endif
     };
     atomic { if :: under_way[t] && waits[t] -> settle(t, found); balance() :: else fi };
gone:
     /* stands for judge.PinJudge.judge */
     atomic { serving -> assert(!waits[t]); under_way[t] = false; found = 0 }      /* a repeat */
  :: left == 0 -> break
  od
}

/* stands for store.JudgeStore.burn_pending, tries.pending_tries */
inline burn_pending() {
  byte u = 0;
  do
  :: u == TERMINALS -> break
  :: u < TERMINALS ->
     if
#ifdef PLANTED_GIVEN_BACK
     :: waits[u] -> waits[u] = false; pending--; tries_left++
#else
     :: waits[u] -> settle(u, BURNED)
#endif
     :: else
     fi;
     u++
  od;
  u = 0
}

inline die() {
  byte d = 0;
  do
  :: d == TERMINALS -> break
  :: d < TERMINALS -> under_way[d] = false; d++
  od;
  d = 0
}

/* stands for judge.PinJudge.start */
proctype Judge() {
  byte left = DEATHS;

  do
  :: serving && left > 0 -> atomic { left--; serving = false; die() }
  :: serving -> break
  :: !serving && left > 0 -> left--                                /* before that commit */
  :: !serving ->
#ifndef PLANTED_NOT_BURNED
     atomic { burn_pending(); balance() };
#endif
     if
     :: left > 0 -> left--                                         /* after it, not serving yet */
     :: serving = true
     fi
  od
}

/* stands for counter.Counter._unlock, counter._refuse_pending */
proctype Operators() {
  byte left = UNLOCKS;

  do
  :: left == 0 -> break
  :: left > 0 ->
     atomic {
       serving -> left--;
       if
#ifndef PLANTED_UNLOCKED_PENDING
       :: pending > 0 -> skip                                      /* refused */
#endif
       :: else -> reset_tries(); locked = false
       fi;
       balance()
     }
  :: break
  od
}

init {
  byte i = 0;

  atomic {
    do
    :: i < TERMINALS -> run Terminal(i); i++
    :: else -> break
    od;
    run Judge();
    run Operators()
  };
  (_nr_pr == 1) -> assert(pending == 0); balance()
}
