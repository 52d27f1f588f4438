import IngotCore

/// `model.safetensors.index.json`: which file of a sharded checkpoint holds which tensor.
struct SafetensorsIndex {
  /// The index file.
  let path: String
  /// File by tensor name.
  let weightMap: [String: String]
  /// The files, sorted.
  let shards: [String]

  /// - Throws: `.io`; `.format` for broken JSON, or a file name that is not a plain one.
  init(path: String) throws(IngotError) {
    try self.init(json: JSONParser.parse(path: path), path: path)
  }

  init(json: JSONValue, path: String) throws(IngotError) {
    self.path = path
    guard let map = json["weight_map"]?.object else {
      throw IngotError(
        .format, "the index has no object weight_map", at: .init(file: path, key: "weight_map"))
    }
    var weightMap: [String: String] = [:]
    for member in map.members {
      let place = IngotError.Place(file: path, tensor: member.key, key: "weight_map")
      guard let shard = member.value.string else {
        throw IngotError(.format, "the index must name a file", at: place)
      }
      // A plain name keeps an index from reaching out of its folder.
      guard !shard.isEmpty, shard != ".", shard != "..",
        !shard.utf8.contains(where: { $0 == 0 || $0 == UInt8(ascii: "/") })
      else {
        throw IngotError(
          .format, "the index points to \"\(shard)\", which is not a file name in its own folder", at: place)
      }
      guard weightMap.updateValue(shard, forKey: member.key) == nil else {
        throw IngotError(.format, "the index lists a tensor twice", at: place)
      }
    }
    guard !weightMap.isEmpty else {
      throw IngotError(.format, "the index lists no tensors", at: .init(file: path, key: "weight_map"))
    }
    self.weightMap = weightMap
    shards = Set(weightMap.values).sorted()
  }

  /// Opens all shards and collects the tensors.
  ///
  /// Tensors that a shard has but the index does not place there are left out.
  /// - Throws: `.io` naming the missing shards; `.format` for a tensor that its shard lacks.
  func open(in directory: String) throws(IngotError) -> TensorTable {
    let missing = shards.filter { !FileSystem.exists(FileSystem.join(directory, $0)) }
    guard missing.isEmpty else {
      throw IngotError(
        .io, "\(missing.count) of \(shards.count) shards are missing: \(missing.joined(separator: ", "))",
        at: .init(file: path), hint: "fetch the missing files into \(directory)")
    }
    var table = TensorTable()
    for shard in shards {
      let file = try SafetensorsFile(path: FileSystem.join(directory, shard))
      for tensor in file.tensors where weightMap[tensor.name] == shard { try table.append(tensor) }
    }
    for (name, shard) in weightMap.sorted(by: { $0.key < $1.key }) where table[name] == nil {
      throw IngotError(
        .format, "the index places a tensor in \(shard), which lacks it", at: .init(file: path, tensor: name))
    }
    return table
  }
}
