public import Engine
public import IngotCore

/// Another program that benchmarks the same file, in turns with us.
public struct BenchmarkPeer: Sendable, Equatable {
  /// Programs whose options and output we know.
  public enum Kind: String, Sendable, CaseIterable {
    /// llama.cpp's llama-bench: one sequence.
    case llamaBench = "llama-bench"
    /// llama.cpp's llama-batched-bench: several sequences decoded together.
    case llamaBatchedBench = "llama-batched-bench"
  }

  /// Which program.
  public var kind: Kind
  /// Where it is.
  public var path: String

  /// Reads `llama-bench=PATH`.
  /// - Throws: `.argument` for other names, or without a path.
  public init(argument: String) throws(IngotError) {
    let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(
      String.init)
    guard let kind = Kind(rawValue: parts[0]), parts.count == 2, !parts[1].isEmpty else {
      let names = Kind.allCases.map { "\($0.rawValue)=PATH" }.joined(separator: " or ")
      throw IngotError(
        .argument, "--against \"\(argument)\" names no program to compare with", hint: "give \(names)")
    }
    (self.kind, path) = (kind, parts[1])
  }

  /// Whether it can run a test.
  public func runs(_ test: BenchmarkTest) -> Bool {
    switch kind {
    case .llamaBench: test.batch == 1
    case .llamaBatchedBench: test.batch > 1
    }
  }

  /// One round of a test.
  /// - Returns: tokens per second by setting: without flash attention and with it, the better of which counts.
  /// - Throws: `.io` where the program is missing or fails; `.format` for output that is not its own.
  public func run(
    _ test: BenchmarkTest, model: String, threads: Int, kvType: KVType
  ) throws(IngotError) -> [String: Double] {
    var speeds: [String: Double] = [:]
    for call in calls(test, model: model, threads: threads, kvType: kvType) {
      let outcome = try ChildProcess.run(path, call.arguments)
      guard outcome.status == 0 else {
        let end =
          outcome.status < 0
          ? "was ended by signal \(-outcome.status)" : "failed with status \(outcome.status)"
        let last = outcome.errors.split(separator: "\n").suffix(3).joined(separator: "\n    ")
        throw IngotError(
          .io, "\(kind.rawValue) \(end)" + (last.isEmpty ? "" : "; it said:\n    \(last)"),
          at: .init(file: path),
          hint: "it was run as: \(path) \(call.arguments.joined(separator: " "))")
      }
      let found: [String: Double]
      do throws(IngotError) { found = try parse(outcome.output, test, setting: call.setting) } catch {
        throw error.inFile(path)
      }
      speeds.merge(found) { $1 }
    }
    return speeds
  }

  /// The arguments of the calls that a round takes, and the setting of each where its output does not say.
  package func calls(
    _ test: BenchmarkTest, model: String, threads: Int, kvType: KVType
  ) -> [(setting: String?, arguments: [String])] {
    let cache = ["-ctk", kvType.llamaName, "-ctv", kvType.llamaName]
    // llama.cpp has values in bytes with flash attention only.
    let flash = kvType == .i8 ? ["1"] : ["0", "1"]
    switch kind {
    case .llamaBench:
      let both = test.prompt > 0 && test.generate > 0
      var arguments = ["-m", model, "-p", "\(both ? 0 : test.prompt)", "-n", "\(both ? 0 : test.generate)"]
      if both { arguments += ["-pg", "\(test.prompt),\(test.generate)"] }
      if test.depth > 0 { arguments += ["-d", "\(test.depth)"] }
      return [
        (
          nil,
          arguments + ["-t", "\(threads)", "-r", "1", "-fa", flash.joined(separator: ","), "-o", "json"]
            + cache
        )
      ]
    case .llamaBatchedBench:
      // It decodes after a prompt of its own; prompts of one token are the nearest to none.
      let (before, after) = (max(1, test.depth + test.prompt), max(1, test.generate))
      let arguments = [
        "-m", model, "-npp", "\(before)", "-ntg", "\(after)", "-npl", "\(test.batch)", "-c",
        "\(test.batch * (before + after) + 256)", "-t", "\(threads)", "--output-format", "jsonl",
      ]
      return flash.map { $0 == "1" ? "on" : "off" }.map { ("-fa \($0)", arguments + ["-fa", $0] + cache) }
    }
  }

  /// The speeds in a program's output.
  /// - Throws: `.format` for anything else.
  package func parse(
    _ output: String, _ test: BenchmarkTest, setting: String?
  ) throws(IngotError) -> [String: Double] {
    switch kind {
    case .llamaBench:
      guard let rows = (try? JSONParser.parse(output))?.array else { throw unknownOutput(output) }
      var speeds: [String: Double] = [:]
      for row in rows
      where row["n_prompt"]?.int == test.prompt && row["n_gen"]?.int == test.generate
        && row["n_depth"]?.int ?? 0 == test.depth
      {
        guard let speed = row["avg_ts"]?.double, speed > 0 else { throw unknownOutput(output) }
        // Older versions write true and false.
        let flash = row["flash_attn"]?.int ?? (row["flash_attn"]?.bool == true ? 1 : 0)
        speeds["-fa \(flash)"] = speed
      }
      guard !speeds.isEmpty else { throw unknownOutput(output) }
      return speeds
    case .llamaBatchedBench:
      for line in output.split(separator: "\n") where line.first == "{" {
        guard let row = try? JSONParser.parse(String(line)), row["pl"]?.int == test.batch,
          let prompt = row["t_pp"]?.double, let decode = row["t_tg"]?.double, prompt > 0, decode > 0
        else { continue }
        // The time of what the test asks for; its depth, or a token that had to be, is not in it.
        let seconds = (test.prompt > 0 ? prompt : 0) + (test.generate > 0 ? decode : 0)
        return [setting ?? "": Double(test.tokens) / seconds]
      }
      throw unknownOutput(output)
    }
  }

  private func unknownOutput(_ output: String) -> IngotError {
    let start = output.prefix(200).split(separator: "\n").first.map(String.init) ?? ""
    return IngotError(
      .format, "\(kind.rawValue) wrote something else than its results in JSON",
      hint: start.isEmpty ? "it wrote nothing" : "it begins with: \(start)")
  }
}

extension KVType {
  /// llama.cpp's name of the type.
  fileprivate var llamaName: String {
    switch self {
    case .f16: "f16"
    case .f32: "f32"
    case .i8: "q8_0"
    }
  }
}
