//! The store for async code, on a runtime of one thread and on one of several.

use std::sync::{Arc, mpsc};

use store::{Error, Handle};
use tokio::runtime::{Builder, Runtime};

use super::{act, founding, tenant};

fn runtimes() -> [Runtime; 2] {
    [Builder::new_current_thread(), Builder::new_multi_thread()]
        .map(|mut builder| builder.worker_threads(1).build().unwrap())
}

fn handle() -> Handle {
    Handle::new(Arc::new(store::sqlite::ephemeral(&founding(1)).unwrap()))
}

#[test]
fn a_closure_that_waits_holds_no_other_task_up() {
    for runtime in runtimes() {
        let store = handle();
        let (say, said) = mpsc::channel();
        runtime.block_on(async {
            let waits = tokio::spawn(async move { store.read(move |_| Ok::<_, Error>(said.recv().unwrap())).await });
            let says = tokio::spawn(async move { say.send("on").unwrap() });
            assert_eq!(waits.await.unwrap().unwrap(), "on");
            says.await.unwrap();
        });
    }
}

#[test]
fn a_transaction_that_panics_never_was_and_the_next_one_is() {
    for runtime in runtimes() {
        let store = handle();
        runtime.block_on(async {
            let write = store.write(act("test"), |tx| -> Result<(), Error> {
                tx.put_tenant(&tenant())?;
                panic!("on purpose");
            });
            assert!(matches!(write.await, Err(Error::Stopped)));
            let there = store.read(|tx| tx.tenant(tenant().id)).await.unwrap();
            assert_eq!(there, None);
            store.write(act("test"), |tx| tx.put_tenant(&tenant())).await.unwrap();
            let there = store.read(|tx| tx.tenant(tenant().id)).await.unwrap();
            assert_eq!(there, Some(tenant()));
        });
    }
}
