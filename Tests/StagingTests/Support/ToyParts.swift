import CKernels
import Generation
import IngotCore
import Staging

/// The parts of a toy model.
final class ToySource: StageSource {
  let model: ToyModel
  let path: String
  /// How often each part was loaded.
  private(set) var loads: [StagePartName: Int] = [:]
  /// Runs of parts until one fails; nil for no end.
  var runsLeft: Int?
  var missing: Set<StagePartName> = []

  init(_ model: ToyModel, path: String = "toy") { (self.model, self.path) = (model, path) }

  func blockCount() -> Int { model.blocks.count }
  func has(_ part: StagePartName) -> Bool { !missing.contains(part) }

  func print(of part: StagePartName) -> PartPrint {
    PartPrint(
      graph: UInt64(model.inputLength), weights: [.init(form: "\(part)", byteCount: 4096, digest: model.seed)]
    )
  }

  func ports(of part: StagePartName) -> StagePorts {
    let (s, c, h) = (model.inputLength, model.cacheLength, model.hiddenSize)
    let hidden = StagePort("hidden_states", .f32, [1, s, h])
    switch part {
    case .embed: return StagePorts(inputs: [.init("input_ids", .i64, [1, s])], outputs: [hidden])
    case .block(let index):
      let layers = model.blocks[index]
      let past: [Int?] = [layers, 1, model.headCount, c, model.headSize]
      let present: [Int?] = [layers, 1, model.headCount, s, model.headSize]
      return StagePorts(
        inputs: [
          hidden, .init("attention_mask", .f32, [1, 1, s, c + s]), .init("position_ids", .i64, [1, s]),
          .init("past_key", model.cacheType, past), .init("past_value", model.cacheType, past),
        ],
        outputs: [
          .init("hidden_states_out", .f32, [1, s, h]), .init("present_key", model.cacheType, present),
          .init("present_value", model.cacheType, present),
        ])
    case .output:
      return StagePorts(inputs: [hidden], outputs: [.init("logits", .f32, [1, s, model.vocabularySize])])
    }
  }

  func load(_ part: StagePartName) -> any StagePart {
    loads[part, default: 0] += 1
    return ToyPart(self, part)
  }

  fileprivate func countRun() throws(IngotError) {
    guard let left = runsLeft else { return }
    guard left > 0 else { throw IngotError(.io, "the machine went away") }
    runsLeft = left - 1
  }
}

final class ToyPart: StagePart {
  private let source: ToySource
  private let part: StagePartName
  var ports: StagePorts { source.ports(of: part) }

  init(_ source: ToySource, _ part: StagePartName) { (self.source, self.part) = (source, part) }

  func run(_ inputs: [String: HostTensor], outputs: [String]) throws(IngotError) -> [String: HostTensor] {
    try source.countRun()
    for port in ports.inputs {
      guard let tensor = inputs[port.name], tensor.dtype == port.dtype,
        tensor.shape.dims.map(Optional.some) == port.dims
      else { throw IngotError(.shape, "input \(port.name) is wrong") }
    }
    let model = source.model
    switch part {
    case .embed:
      let ids: [Int64] = inputs["input_ids"]!.array()
      return ["hidden_states": try rows(ids.map { model.embed(Int($0)) }, [1, ids.count, model.hiddenSize])]
    case .output:
      let states = split(inputs["hidden_states"]!, model.hiddenSize)
      return ["logits": try rows(states.map(model.logits), [1, states.count, model.vocabularySize])]
    case .block(let index): return try block(index, inputs)
    }
  }

  private func block(_ index: Int, _ inputs: [String: HostTensor]) throws(IngotError) -> [String: HostTensor]
  {
    let model = source.model
    let (s, c) = (model.inputLength, model.cacheLength)
    var states = split(inputs["hidden_states"]!, model.hiddenSize)
    let mask = split(inputs["attention_mask"]!, c + s)
    let positions: [Int64] = inputs["position_ids"]!.array()
    let (pastKeys, pastValues) = (floats(inputs["past_key"]!), floats(inputs["past_value"]!))
    let first = model.blocks[..<index].reduce(0, +), layers = model.blocks[index]
    var newKeys = [Float](repeating: 0, count: layers * model.cacheWidth * s), newValues = newKeys
    /// A row of `[layers, kv, length, hd]` as `[kv * hd]`.
    func gather(_ values: [Float], _ layer: Int, _ row: Int, _ length: Int) -> [Float] {
      (0..<model.headCount).flatMap { head in
        let start = ((layer * model.headCount + head) * length + row) * model.headSize
        return values[start..<start + model.headSize]
      }
    }
    for layer in 0..<layers {
      let fresh = states.enumerated().map {
        model.keyValue($1, layer: first + layer, position: Int(positions[$0]))
      }
      for (row, pair) in fresh.enumerated() {
        for lane in 0..<model.cacheWidth {
          let (head, offset) = (lane / model.headSize, lane % model.headSize)
          let at = ((layer * model.headCount + head) * s + row) * model.headSize + offset
          (newKeys[at], newValues[at]) = (pair.key[lane], pair.value[lane])
        }
      }
      let past = (0..<c).map { (gather(pastKeys, layer, $0, c), gather(pastValues, layer, $0, c)) }
      states = states.enumerated().map { row, state in
        let seen = (past + fresh.map { ($0.key, $0.value) }).enumerated()
          .map { (key: $1.0, value: $1.1, mask: mask[row][$0]) }
        // Nothing is left out: closed columns weigh 0, and padding sees all columns alike, as in a real model.
        return model.attend(state, layer: first + layer, seen: seen)
      }
    }
    let shape: Shape = [layers, 1, model.headCount, s, model.headSize]
    return [
      "hidden_states_out": try rows(states, [1, s, model.hiddenSize]),
      "present_key": try cache(newKeys, shape), "present_value": try cache(newValues, shape),
    ]
  }

  private func cache(_ values: [Float], _ shape: Shape) throws(IngotError) -> HostTensor {
    guard source.model.cacheType == .f16 else { return try HostTensor(values, shape: shape) }
    var halves = [UInt16](repeating: 0, count: values.count)
    ingot_f32_to_f16(values, &halves, values.count)
    return try HostTensor(halves, dtype: .f16, shape: shape)
  }

  private func floats(_ tensor: HostTensor) -> [Float] {
    guard tensor.dtype == .f16 else { return tensor.array() }
    let halves: [UInt16] = tensor.array()
    var values = [Float](repeating: 0, count: halves.count)
    ingot_f16_to_f32(halves, &values, halves.count)
    return values
  }

  private func split(_ tensor: HostTensor, _ width: Int) -> [[Float]] {
    let values: [Float] = tensor.array()
    return stride(from: 0, to: values.count, by: width).map { Array(values[$0..<$0 + width]) }
  }

  private func rows(_ rows: [[Float]], _ shape: Shape) throws(IngotError) -> HostTensor {
    try HostTensor(rows.flatMap { $0 }, shape: shape)
  }
}
