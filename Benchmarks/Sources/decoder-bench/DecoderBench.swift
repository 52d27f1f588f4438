import ArgumentParser
import Foundation
import Ingot

/// Prompt and decode speed on a model, alternating run by run with llama.cpp's `llama-bench` if one is given, so
/// that both see the same machine.
@main struct DecoderBench: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "decoder-bench")

  @Argument(help: "A checkpoint directory or a .gguf file.") var model: String
  @Option(name: .short, help: "Tokens of the prompt.") var prompt = 512
  @Option(name: .short, help: "Tokens to decode.") var number = 64
  @Option(name: .short, help: "Threads.") var threads = 2
  @Option(name: .short, help: "Rounds; the median counts.") var rounds = 5
  @Option(help: "Path of llama.cpp's llama-bench.") var llamaBench: String?

  func run() throws {
    let start = ContinuousClock.now
    let checkpoint = try openCheckpoint(model)
    var options = DecoderEngine.Options(contextLength: prompt + number + 1)
    options.engine = EngineOptions(threads: threads)
    let engine = try CPUModel(checkpoint, options: options)
    let load = seconds(since: start)
    let first = try measure(engine, prompt: 8, number: 1)
    print(
      String(format: "load %.0f ms, first token of 8 after %.0f ms more", load * 1e3, 8 / first.prompt * 1e3))

    var ours: [Speed] = []
    var theirs: [Speed] = []
    for round in 0..<rounds {
      ours.append(try measure(engine, prompt: prompt, number: number))
      if let llamaBench { theirs.append(try peer(llamaBench)) }
      let line = theirs.last.map { "; llama.cpp \($0.text)" } ?? ""
      print("round \(round + 1): ingot \(ours[round].text)\(line)")
    }
    let (pp, tg) = (median(ours.map(\.prompt)), median(ours.map(\.decode)))
    print(String(format: "median: pp%d %.1f t/s, tg%d %.1f t/s", prompt, pp, number, tg))
    if !theirs.isEmpty {
      let (theirPP, theirTG) = (median(theirs.map(\.prompt)), median(theirs.map(\.decode)))
      print(String(format: "llama.cpp: pp%d %.1f t/s, tg%d %.1f t/s", prompt, theirPP, number, theirTG))
      print(String(format: "ratio: pp %.2f, tg %.2f", pp / theirPP, tg / theirTG))
    }
  }

  /// Tokens per second.
  struct Speed {
    var prompt: Double
    var decode: Double
    var text: String { String(format: "pp %.1f tg %.1f t/s", prompt, decode) }
  }

  private func measure(_ model: CPUModel, prompt: Int, number: Int) throws -> Speed {
    let ids = (0..<prompt).map { ($0 * 7919 + 13) % model.config.vocabSize }
    let sequence = try model.makeSequence(plannedLength: prompt + number)
    let start = ContinuousClock.now
    try model.forward([ModelInput(sequence, ids)]) { _, _, _ in }
    let middle = ContinuousClock.now
    for step in 0..<number {
      try model.forward([ModelInput(sequence, [(step * 31 + 7) % model.config.vocabSize])]) { _, _, _ in }
    }
    let end = ContinuousClock.now
    return Speed(
      prompt: Double(prompt) / (middle - start).seconds, decode: Double(number) / (end - middle).seconds)
  }

  /// One round of llama-bench, from its JSON.
  private func peer(_ path: String) throws -> Speed {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = [
      "-m", model, "-p", "\(prompt)", "-n", "\(number)", "-t", "\(threads)", "-r", "1", "-o", "json",
    ]
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    let rows = try JSONParser.parse(String(decoding: data, as: UTF8.self)).array ?? []
    func speed(_ key: String) -> Double {
      rows.first { $0[key]?.int ?? 0 > 0 }?["avg_ts"]?.double ?? .nan
    }
    return Speed(prompt: speed("n_prompt"), decode: speed("n_gen"))
  }

  private func seconds(since start: ContinuousClock.Instant) -> Double {
    (ContinuousClock.now - start).seconds
  }

  private func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
}

extension Duration {
  var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
