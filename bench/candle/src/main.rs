//! How fast candle (Rust) runs a GGUF file: candle-bench MODEL.gguf LENGTHS N_GENERATED REPEATS FLASH
//!
//! LENGTHS: prompts to read, "1,16,512". N_GENERATED: tokens to decode. FLASH: 0 or 1, candle's attention for CPUs
//! (SmolLM3 only; its Llama has one path). The last line of the output is one JSON object; candle itself prints
//! lines before it. Threads: RAYON_NUM_THREADS.

use std::io::BufReader;
use std::time::Instant;

use anyhow::{bail, Context, Result};
use candle_core::quantized::gguf_file::Content;
use candle_core::{Device, Tensor};
use candle_transformers::models::quantized_llama::ModelWeights;
use candle_transformers::models::smol::quantized_smollm3::QuantizedModelForCausalLM;

/// The architectures that this program can run, each with its KV cache.
enum Model {
    Llama(ModelWeights),
    SmolLm3(QuantizedModelForCausalLM),
}

impl Model {
    /// The model, its size of vocabulary, and whether `flash` makes a difference.
    fn load(path: &str, flash: bool) -> Result<(Self, u32, bool)> {
        let mut file = BufReader::new(std::fs::File::open(path).with_context(|| path.to_string())?);
        let content = Content::read(&mut file)?;
        let architecture = content
            .metadata
            .get("general.architecture")
            .context("no general.architecture")?
            .to_string()?
            .clone();
        let embedding = content
            .tensor_infos
            .get("token_embd.weight")
            .context("no token_embd.weight")?;
        let n_vocab = embedding.shape.dims()[0] as u32;
        match architecture.as_str() {
            "llama" => {
                let model = ModelWeights::from_gguf(content, &mut file, &Device::Cpu)?;
                Ok((Model::Llama(model), n_vocab, false))
            }
            "smollm3" => {
                let model = QuantizedModelForCausalLM::from_gguf(path, &Device::Cpu, flash)?;
                Ok((Model::SmolLm3(model), n_vocab, true))
            }
            other => bail!("candle-bench can't run the architecture {other}"),
        }
    }

    /// Reads `tokens` after `position` others; the logits of the last one are computed and dropped.
    fn forward(&mut self, tokens: &[u32], position: usize) -> Result<()> {
        let input = Tensor::new(tokens, &Device::Cpu)?.unsqueeze(0)?;
        let logits = match self {
            Model::Llama(model) => model.forward(&input, position)?,
            Model::SmolLm3(model) => model.forward(&input, position)?,
        };
        logits.flatten_all()?.get(0)?.to_scalar::<f32>()?;
        Ok(())
    }

    fn forget(&mut self) {
        match self {
            Model::Llama(model) => model.clear_kv_cache(),
            Model::SmolLm3(model) => model.clear_kv_cache(),
        }
    }
}

/// Any tokens: the time does not depend on which.
fn tokens(n: usize, n_vocab: u32) -> Vec<u32> {
    (0..n as u64)
        .map(|i| (i * 7919 % u64::from(n_vocab)) as u32)
        .collect()
}

/// Tokens per second of one prompt of `n` tokens.
fn prompt_rate(model: &mut Model, n: usize, n_vocab: u32) -> Result<f64> {
    let prompt = tokens(n, n_vocab);
    model.forget();
    let start = Instant::now();
    model.forward(&prompt, 0)?;
    Ok(n as f64 / start.elapsed().as_secs_f64())
}

/// Tokens per second of `n` tokens one by one, after a first one.
fn decode_rate(model: &mut Model, n: usize, n_vocab: u32) -> Result<f64> {
    let sequence = tokens(n + 1, n_vocab);
    model.forget();
    model.forward(&sequence[..1], 0)?;
    let start = Instant::now();
    for position in 1..=n {
        model.forward(&sequence[position..=position], position)?;
    }
    Ok(n as f64 / start.elapsed().as_secs_f64())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [path, lengths, generated, repeats, flash] = arguments.as_slice() else {
        bail!("usage: candle-bench MODEL.gguf LENGTHS N_GENERATED REPEATS FLASH");
    };
    let lengths = lengths
        .split(',')
        .map(str::parse)
        .collect::<Result<Vec<usize>, _>>()?;
    let (generated, repeats): (usize, usize) = (generated.parse()?, repeats.parse()?);
    let start = Instant::now();
    let (mut model, n_vocab, has_flash) = Model::load(path, flash == "1")?;
    let load_seconds = start.elapsed().as_secs_f64();
    model.forward(&tokens(8, n_vocab), 0)?; // starts the threads, touches the weights
    let mut rates = Vec::new();
    for n in lengths {
        let measured = (0..repeats)
            .map(|_| prompt_rate(&mut model, n, n_vocab))
            .collect::<Result<Vec<_>>>()?;
        rates.push(format!("\"pp{n}\":{:.3}", median(measured)));
    }
    if generated > 0 {
        let measured = (0..repeats)
            .map(|_| decode_rate(&mut model, generated, n_vocab))
            .collect::<Result<Vec<_>>>()?;
        rates.push(format!("\"tg{generated}\":{:.3}", median(measured)));
    }
    println!(
        "\n{{\"candle\":\"0.11.1\",\"threads\":{},\"flash_matters\":{has_flash},\"load_seconds\":{load_seconds:.3},\"rates\":{{{}}}}}",
        candle_core::utils::get_num_threads(),
        rates.join(",")
    );
    Ok(())
}
