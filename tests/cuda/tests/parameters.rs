//! Parameters as arrays of a model on a device: what is set is what the device computes with, what is read is what it has
//! trained, and constants of a cell stay.

use ndarray::{Array2, Array3, Ix2};
use recurrent::prelude::*;
use recurrent_test_cuda::{device, numbers};

const TURN: [[f32; 2]; 2] = [[0.8, 0.6], [-0.6, 0.8]];

rnn_cell! {
    cell Turning(units) {
        param encoder: [input, 2] = glorot_uniform;
        param kernel: [2, units] = glorot_uniform;
        frozen param turn: [2, 2] = TURN;
        state m: [2];
        next m = m @ turn + x @ encoder;
        output tanh(m @ kernel);
    }
}

#[test]
fn arrays_go_to_the_device_and_come_from_it() {
    let Some(device) = device() else { return };
    let make = || rnn_model!(Input(_, 3) -> RNN(Turning(4)) -> Dense(2));
    let x = Array3::from_shape_vec((3, 5, 3), numbers(45, 3)).unwrap();
    let kernel = Array2::from_shape_vec((2, 4), numbers(8, 7)).unwrap();
    let (mut near, mut far) = (make(), make().to(&device).unwrap());
    let before = far.predict(&x).unwrap();
    near.set_param("rnn/kernel", &kernel).unwrap();
    far.set_param("rnn/kernel", &kernel.mapv(f64::from))
        .unwrap();
    let (expected, found) = (near.predict(&x).unwrap(), far.predict(&x).unwrap());
    assert_ne!(found, before);
    assert!(
        (&found - &expected).iter().all(|d| d.abs() <= 1e-5),
        "{found} {expected}"
    );
    // Nothing has changed after an error.
    assert!(far.set_param("rnn/kernel", &kernel.t()).is_err());
    assert!(far.set_param("rnn/kernels", &kernel).is_err());
    assert_eq!(far.predict(&x).unwrap(), found);

    let data = Dataset::new(&x, Array2::<f32>::ones((3, 2))).unwrap();
    let fit = || Fit {
        epochs: 2,
        verbose: Verbose::Silent,
        ..Fit::default()
    };
    Trainer::new(&mut near)
        .loss(MeanSquaredError)
        .fit(&data, fit())
        .unwrap();
    Trainer::new(&mut far)
        .loss(MeanSquaredError)
        .fit(&data, fit())
        .unwrap();
    let read = |name: &str| {
        let [near, far] = [near.param_view(name), far.param_view(name)];
        let [near, far] = [near, far].map(|v| v.unwrap().into_dimensionality::<Ix2>().unwrap());
        (near, far)
    };
    let (near_kernel, far_kernel) = read("rnn/kernel");
    assert_ne!(far_kernel, kernel);
    assert!((&near_kernel - &far_kernel).iter().all(|d| d.abs() <= 1e-4));
    assert_eq!(read("rnn/turn").1, Array2::from(TURN.to_vec()));
}
