//! Where a model runs.

#[cfg(feature = "cuda")]
use std::sync::Arc;
use std::{fmt, str::FromStr};

#[cfg(feature = "cuda")]
use crate::cuda::CudaDevice;
use crate::{error::Error, precision::Precision};

/// Where a model runs: the CPU, or a GPU. [`Model::to`](crate::model::Model::to) moves a model.
///
/// As text it is `cpu`, `cuda` or `cuda:1`; `auto` reads as [`Device::auto`]. What products are made in comes after a comma,
/// unless it is float32: `cuda,bf16`, `cuda:1,tf32`.
///
/// ```
/// use recurrent::prelude::Device;
///
/// let device: Device = "cpu".parse()?;
/// assert_eq!(device.to_string(), "cpu");
/// // Without the feature `cuda`, or without a GPU, this is the CPU.
/// println!("{}", Device::auto());
/// # Ok::<(), recurrent::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Device(Kind);

/// What a device is.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Cpu,
    #[cfg(feature = "cuda")]
    Cuda(Arc<CudaDevice>, Precision),
}

impl Device {
    /// The CPU.
    pub const fn cpu() -> Device {
        Device(Kind::Cpu)
    }

    /// GPU number 0, or the CPU where that cannot be used: there is none, or its driver or NVRTC is missing or too old.
    /// [`Device::cuda`] gives the reason as an error, and where there is a GPU, a terminal shows it once.
    pub fn auto() -> Device {
        let gpu = Device::cuda(0);
        #[cfg(feature = "cuda")]
        if let Err(reason) = &gpu {
            CudaDevice::say_why_not(reason);
        }
        gpu.unwrap_or(Device::cpu())
    }

    /// GPU number `ordinal`, counted from 0. Models on one `Device` and its clones share its kernels and its stream.
    ///
    /// # Errors
    /// [`Error::Device`] says what is missing: the feature `cuda`, the driver, NVRTC, such a GPU.
    pub fn cuda(ordinal: usize) -> Result<Device, Error> {
        #[cfg(feature = "cuda")]
        return Ok(Device(Kind::Cuda(
            Arc::new(CudaDevice::new(ordinal)?),
            Precision::Float32,
        )));
        #[cfg(not(feature = "cuda"))]
        Err(Error::Device(format!(
            "cuda:{ordinal}: this program was built without the feature `cuda`: `cargo add recurrent --features cuda`, or \
             `cargo run --features cuda`"
        )))
    }

    /// The same device, on which models make their products in `precision`. Models in several precisions may be on one GPU, and
    /// [`Model::to`](crate::model::Model::to) moves a model from one to another.
    ///
    /// # Errors
    /// [`Error::Device`] if the device cannot: the CPU has float32 only, and so has a GPU of a compute capability before 8.0.
    ///
    /// ```
    /// use recurrent::prelude::{Device, Precision};
    ///
    /// let cpu = Device::cpu().with_precision(Precision::Float32)?;
    /// assert!(cpu.with_precision(Precision::Bf16).is_err());
    /// if let Ok(gpu) = Device::cuda(0) {
    ///     assert_eq!(gpu.with_precision(Precision::Tf32)?.to_string(), "cuda:0,tf32");
    /// }
    /// # Ok::<(), recurrent::Error>(())
    /// ```
    pub fn with_precision(self, precision: Precision) -> Result<Device, Error> {
        match self.0 {
            Kind::Cpu if precision == Precision::Float32 => Ok(self),
            Kind::Cpu => Err(Error::Device(format!(
                "cpu: {precision} is for GPUs, such as `cuda,{precision}`; the CPU computes in float32"
            ))),
            #[cfg(feature = "cuda")]
            Kind::Cuda(device, _) => {
                device.check_precision(precision)?;
                Ok(Device(Kind::Cuda(device, precision)))
            }
        }
    }

    /// What products are made in.
    pub fn precision(&self) -> Precision {
        match &self.0 {
            Kind::Cpu => Precision::Float32,
            #[cfg(feature = "cuda")]
            Kind::Cuda(_, precision) => *precision,
        }
    }

    pub(crate) fn kind(&self) -> &Kind {
        &self.0
    }

    #[cfg(feature = "cuda")]
    pub(crate) fn of(device: &Arc<CudaDevice>, precision: Precision) -> Device {
        Device(Kind::Cuda(Arc::clone(device), precision))
    }

    /// How often the host has waited for it, for tests.
    #[doc(hidden)]
    pub fn waits(&self) -> u64 {
        match &self.0 {
            Kind::Cpu => 0,
            #[cfg(feature = "cuda")]
            Kind::Cuda(device, _) => device.waits(),
        }
    }

    /// Whether it is the CPU.
    pub fn is_cpu(&self) -> bool {
        matches!(self.0, Kind::Cpu)
    }

    /// Waits until everything that was started on the device has run: before and after it a program can look at a clock.
    /// Nothing on the CPU is ever still to come.
    ///
    /// # Errors
    /// [`Error::Device`] if something has failed on the way.
    pub fn synchronize(&self) -> Result<(), Error> {
        match &self.0 {
            Kind::Cpu => Ok(()),
            #[cfg(feature = "cuda")]
            Kind::Cuda(device, _) => device.wait(),
        }
    }

    /// The GPU's name, as its driver gives it; `CPU` for the CPU.
    pub fn name(&self) -> &str {
        match &self.0 {
            Kind::Cpu => "CPU",
            #[cfg(feature = "cuda")]
            Kind::Cuda(device, _) => device.name(),
        }
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Cpu => f.write_str("cpu"),
            #[cfg(feature = "cuda")]
            Kind::Cuda(device, Precision::Float32) => write!(f, "cuda:{}", device.ordinal()),
            #[cfg(feature = "cuda")]
            Kind::Cuda(device, precision) => write!(f, "cuda:{},{precision}", device.ordinal()),
        }
    }
}

impl FromStr for Device {
    type Err = Error;

    fn from_str(text: &str) -> Result<Device, Error> {
        if let Some((device, precision)) = text.split_once(',') {
            // What is no precision is said before a GPU is started.
            let precision = precision.parse()?;
            return device.parse::<Device>()?.with_precision(precision);
        }
        match text {
            "cpu" => return Ok(Device::cpu()),
            "auto" => return Ok(Device::auto()),
            "cuda" => return Device::cuda(0),
            _ => {}
        }
        let ordinal = text.strip_prefix("cuda:").and_then(|n| n.parse().ok());
        match ordinal {
            Some(ordinal) => Device::cuda(ordinal),
            None => Err(Error::Device(format!(
                "`{text}` is no device: there are cpu, cuda, cuda:1 and so on, auto, and cuda,tf32 for another precision"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_names_a_device() {
        assert!("cpu".parse::<Device>().is_ok_and(|d| d.is_cpu()));
        assert!(Device::cpu().name() == "CPU");
        for wrong in ["", "gpu", "cuda:", "cuda:x", "CPU"] {
            let error = wrong.parse::<Device>().err().map(|e| e.to_string());
            assert!(
                error.is_some_and(|e| e.contains("there are cpu, cuda")),
                "{wrong}"
            );
        }
    }

    #[test]
    fn the_cpu_has_one_precision() {
        let cpu = Device::cpu();
        assert_eq!(cpu.precision(), Precision::Float32);
        assert!("cpu,float32".parse::<Device>().is_ok_and(|d| d.is_cpu()));
        let error = |text: &str| text.parse::<Device>().err().map(|e| e.to_string());
        for text in ["cpu,bf16", "cpu,tf32", "cpu,f16"] {
            assert!(
                error(text).is_some_and(|e| e.contains("is for GPUs")),
                "{text}"
            );
        }
        for text in ["cpu,", "cpu,f32", "cuda,f8", "cuda:0,tf32,bf16"] {
            assert!(
                error(text).is_some_and(|e| e.contains("is no precision")),
                "{text}"
            );
        }
    }

    #[cfg(not(feature = "cuda"))]
    #[test]
    fn without_the_feature_the_message_names_it() {
        let error = Device::cuda(0).err().map(|e| e.to_string());
        assert!(error.is_some_and(|e| e.contains("feature `cuda`")));
        assert!(Device::auto().is_cpu());
    }
}
