internal import CKernels
internal import Checkpoints
package import IngotCore

extension WeightIndex {
  /// Reads an index, and checks every number in it against the others and the size of the weights.
  /// - Throws: `.format` naming the entry, and what of it cannot be.
  package init(_ json: JSONValue, byteCount: Int, path: String) throws(IngotError) {
    self.init()
    let index = EntryReader(json, "weights.json", byteCount: byteCount, path: path)
    for (number, value) in try index.list("matrices").enumerated() {
      let entry = EntryReader(value, "matrices[\(number)]", byteCount: byteCount, path: path)
      matrices.append(try entry.matrix())
    }
    for (number, value) in try index.list("tensors").enumerated() {
      let entry = EntryReader(value, "tensors[\(number)]", byteCount: byteCount, path: path)
      tensors.append(try entry.tensor())
    }
    if let (first, second) = overlap {
      throw index.error(
        "the \(first.name) and the \(second.name) share bytes: the second begins at \(second.range.lowerBound), and the first ends at \(first.range.upperBound)"
      )
    }
  }

  /// Two places that share a byte, but for orders that several matrices have in common: none may, so that what a reader
  /// makes of them stays in proportion to the file.
  private var overlap: (first: Place, second: Place)? {
    var places = matrices.map { Place("matrix \($0.title)", $0.offset, $0.byteCount) }
    places += tensors.map { Place("tensor \"\($0.name)\"", $0.offset, $0.byteCount) }
    var orders: [Range<Int>: Place] = [:]
    for matrix in matrices {
      guard let order = matrix.order else { continue }
      let place = Place("order of the inputs of \(matrix.title)", order, 4 * matrix.inputs)
      orders[place.range] = orders[place.range] ?? place
    }
    places = (places + orders.values).filter { !$0.range.isEmpty }
      .sorted { $0.range.lowerBound < $1.range.lowerBound }
    for (first, second) in zip(places, places.dropFirst())
    where first.range.upperBound > second.range.lowerBound { return (first, second) }
    return nil
  }

  private struct Place {
    let name: String
    let range: Range<Int>
    init(_ name: String, _ offset: Int, _ byteCount: Int) {
      (self.name, range) = (name, offset..<offset + byteCount)
    }
  }
}

extension WeightIndex.Matrix {
  /// Its tensors' names, of many the first.
  fileprivate var title: String {
    "\"\(parts.first?.name ?? "")\"" + (parts.count > 1 ? " and \(parts.count - 1) more" : "")
  }
}

/// Reads one entry of an index.
private struct EntryReader {
  private let value: JSONValue
  private let key: String
  /// Of all weights.
  private let byteCount: Int
  private let path: String
  private static let largestExtent = 1 << 31

  init(_ value: JSONValue, _ key: String, byteCount: Int, path: String) {
    (self.value, self.key, self.byteCount, self.path) = (value, key, byteCount, path)
  }

  func error(_ what: String) -> IngotError {
    IngotError(
      .format, "the index of weights contradicts itself: \(what)", at: .init(file: path, key: key),
      hint: "the file is damaged, or was not written by ingot compile: fetch it or compile the model again")
  }

  func list(_ name: String) throws(IngotError) -> [JSONValue] {
    guard let list = value[name]?.array else { throw error("there is no list \"\(name)\"") }
    return list
  }

  private func text(_ name: String) throws(IngotError) -> String {
    guard let text = value[name]?.string else { throw error("there is no text \"\(name)\"") }
    return text
  }

  private func number(_ name: String, least: Int = 0) throws(IngotError) -> Int {
    guard let number = value[name]?.int else { throw error("there is no integer \"\(name)\"") }
    guard number >= least else { throw error("\"\(name)\" is \(number), and \(least) is the least") }
    return number
  }

  private func extent(_ name: String) throws(IngotError) -> Int {
    let extent = try number(name, least: 1)
    guard extent < Self.largestExtent else { throw error("\"\(name)\" is \(extent), which no matrix has") }
    return extent
  }

  /// Checks that bytes lie within the weights, where they may.
  private func check(_ what: String, at offset: Int, _ bytes: Int) throws(IngotError) {
    guard offset % WeightIndex.alignment == 0 else {
      throw error("\(what) begins at byte \(offset), no multiple of \(WeightIndex.alignment)")
    }
    guard offset <= byteCount, bytes <= byteCount - offset else {
      throw error("\(what) has \(bytes) bytes at byte \(offset), and the weights have \(byteCount)")
    }
  }

  func matrix() throws(IngotError) -> WeightIndex.Matrix {
    let (inputs, name) = (try extent("inputs"), try text("format"))
    let (group, offset, bytes) = (try number("group"), try number("offset"), try number("bytes"))
    guard let format = WeightIndex.formats.first(where: { $0.name == name })?.format else {
      throw error("its format \"\(name.prefix(16))\" is not known")
    }
    let isFloat = format == INGOT_F32 || format == INGOT_F16 || format == INGOT_BF16
    guard isFloat ? group == 0 : [32, 64, 128].contains(group) && inputs % group == 0 else {
      throw error("\(inputs) inputs of \(name) in groups of \(group)")
    }
    let parts = try parts()
    let outputs = parts.reduce(0) { $0 + $1.rows }
    // Both extents are below 2³¹, and an element takes at most four bytes and its share of a scale.
    guard outputs < Self.largestExtent,
      outputs.multipliedReportingOverflow(by: inputs).partialValue < 1 << 56
    else { throw error("\(outputs) rows of \(inputs) are more than any matrix has") }
    let needed = ingot_weight_bytes(format, Int64(outputs), Int64(inputs), Int32(group))
    guard needed == bytes else {
      throw error("\(outputs) rows of \(inputs) as \(name) take \(needed) bytes, not \(bytes)")
    }
    try check("the matrix", at: offset, bytes)
    var order: Int?
    if value["order"] != nil {
      let start = try number("order")
      guard !isFloat else { throw error("floats have no order of inputs") }
      try check("the order of its inputs", at: start, 4 * inputs)
      order = start
    }
    return WeightIndex.Matrix(
      parts: parts, inputs: inputs, format: format.rawValue, group: group, offset: offset, byteCount: bytes,
      order: order)
  }

  private func parts() throws(IngotError) -> [WeightIndex.Matrix.Part] {
    var (parts, outputs): ([WeightIndex.Matrix.Part], Int) = ([], 0)
    for (number, item) in try list("parts").enumerated() {
      let part = EntryReader(item, "\(key).parts[\(number)]", byteCount: byteCount, path: path)
      parts.append(.init(name: try part.text("name"), rows: try part.extent("rows")))
      outputs += parts[number].rows
      guard outputs < Self.largestExtent else {
        throw part.error("\(outputs) rows are more than any matrix has")
      }
    }
    guard !parts.isEmpty else { throw error("the matrix has no parts") }
    return parts
  }

  func tensor() throws(IngotError) -> WeightIndex.Tensor {
    let (name, text) = (try self.text("name"), try self.text("encoding"))
    let (offset, bytes) = (try number("offset"), try number("bytes"))
    guard let encoding = WeightIndex.encodings[text] else {
      throw error("its encoding \"\(text.prefix(16))\" is not known")
    }
    let list = try list("shape")
    guard list.count <= 8 else { throw error("a shape of \(list.count) extents; 8 are the most") }
    var (shape, count) = ([Int](), 1)
    for item in list {
      guard let extent = item.int, (0..<Self.largestExtent).contains(extent) else {
        throw error("\(item) is no extent of a shape")
      }
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      guard !overflow, product < 1 << 56 else { throw error("more elements than any tensor has") }
      shape.append(extent)
      count = product
    }
    guard (shape.last ?? 1) % encoding.blockWeights == 0, (try? Shape(checking: shape)) != nil else {
      throw error("a tensor of \(shape) cannot be stored as \(text)")
    }
    let needed = count / encoding.blockWeights * encoding.blockBytes
    guard needed == bytes else { throw error("\(shape) as \(text) take \(needed) bytes, not \(bytes)") }
    try check("the tensor", at: offset, bytes)
    return WeightIndex.Tensor(name: name, encoding: encoding, shape: shape, offset: offset, byteCount: bytes)
  }
}
