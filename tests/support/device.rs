//! The device that the models of a test program run on.

use recurrent::prelude::Model;

/// `model` on the device that RECURRENT_TEST_DEVICE names; where it names none, as it is.
#[cfg(feature = "cuda")]
pub fn on_device<M: Model>(model: M) -> M {
    use recurrent::prelude::Device;
    use std::sync::OnceLock;

    static DEVICE: OnceLock<Device> = OnceLock::new();
    let device = DEVICE.get_or_init(|| match std::env::var("RECURRENT_TEST_DEVICE") {
        Ok(name) => name.parse().unwrap_or_else(|e| panic!("{e}")),
        Err(_) => Device::cpu(),
    });
    model.to(device).unwrap_or_else(|e| panic!("{e}"))
}

/// `model` as it is.
#[cfg(not(feature = "cuda"))]
pub fn on_device<M: Model>(model: M) -> M {
    model
}
