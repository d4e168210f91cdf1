// SPDX-License-Identifier: BSD-3-Clause
//
// A thread of the fake kernel that does one thing which may sleep.

#ifndef KERNELTHREAD_H
#define KERNELTHREAD_H

#include "fake_kernel.h"

#include <functional>
#include <thread>

class KernelThread {
public:
  // Runs Work until that is done or asleep.
  KernelThread(std::function<void()> Work)
      : Host([this, Work] {
          fake_thread_enter(&Td);
          Work();
          Done = true;
          fake_thread_exit();
        }) {
    run();
  }

  ~KernelThread() {
    // What nobody woke must not hang the test that says so.
    while (!Done) {
      fake_wake_all();
      run();
    }
    Host.join();
  }

  bool done() const { return Done; }
  bool asleep() const { return fake_asleep(&Td); }

  void run() {
    fake_run_until(
        [](void *Arg) {
          auto *T = static_cast<KernelThread *>(Arg);
          return T->Done || T->asleep();
        },
        this);
  }

private:
  struct thread Td = {"thread"};
  bool Done = false;
  std::thread Host;
};

#endif
