import IngotCore

extension Interpreter {
  /// `value.name`: an attribute of the type first, an item of the value otherwise, as jinja2 has it.
  /// - Throws: `.template` when the value is undefined.
  func attribute(_ name: String, of value: Value) throws(IngotError) -> Value {
    if let found = try ownAttribute(name, of: value) { return found }
    if case .dict(let dict) = value, let found = dict[name] { return found }
    return missing(name, in: value)
  }

  /// `value[index]`: an item of the value first, an attribute of the type otherwise.
  /// - Throws: `.template` when the value is undefined.
  func item(_ index: Value, of value: Value) throws(IngotError) -> Value {
    try charge(steps: index.size / 64)
    if let found = try ownItem(index, of: value) { return found }
    if case .string(let name) = index, let found = try ownAttribute(name.string, of: value) { return found }
    if case .string(let name) = index { return missing(name.string, in: value) }
    return .undefined("'\(value.typeName) object' has no element \(try repr(index).string)")
  }

  private func missing(_ name: String, in value: Value) -> Value {
    .undefined("'\(value.typeName) object' has no attribute '\(name)'")
  }

  private func ownItem(_ index: Value, of value: Value) throws(IngotError) -> Value? {
    switch value {
    case .undefined(let undefined): throw .python(undefined.why)
    case .dict(let dict): return index.key.flatMap { dict[$0] }
    case .list(let list), .tuple(let list):
      guard let at = index.integer.flatMap({ position($0, count: list.items.count) }) else { return nil }
      return list.items[at]
    case .string(let text):
      guard let index = index.integer, let at = position(index, count: text.count) else { return nil }
      try charge(steps: text.bytes.count / 64)
      return .string(text.sliced(SliceIndices(first: at, step: 1, count: 1)).markup(like: text))
    case .object(let object): return try object.item(index)
    case .none, .bool, .int, .float: return nil
    }
  }

  private func position(_ index: Int, count: Int) -> Int? {
    let at = index < 0 ? index + count : index
    return at >= 0 && at < count ? at : nil
  }

  /// An attribute that Python finds without looking into the value.
  private func ownAttribute(_ name: String, of value: Value) throws(IngotError) -> Value? {
    // The sandbox hides what begins with an underscore, and whatever changes a list or dictionary.
    switch value {
    case .undefined(let undefined): throw .python(undefined.why)
    case .string(let text):
      guard StringMethods.names.contains(name) else { return nil }
      return method(name, of: value) { (interpreter, arguments) throws(IngotError) in
        try StringMethods.call(name, text, arguments, interpreter)
      }
    case .list(let list):
      if ContainerMethods.refused.list.contains(name) { return unsafe(name, value) }
      guard ContainerMethods.listNames.contains(name) else { return nil }
      return method(name, of: value) { (interpreter, arguments) throws(IngotError) in
        try ContainerMethods.call(name, list, value, arguments, interpreter)
      }
    case .tuple(let list):
      if let at = list.names.firstIndex(of: name) { return list.items[at] }
      guard name == "count" || name == "index" else { return nil }
      return method(name, of: value) { (interpreter, arguments) throws(IngotError) in
        try ContainerMethods.call(name, list, value, arguments, interpreter)
      }
    case .dict(let dict):
      if ContainerMethods.refused.dict.contains(name) { return unsafe(name, value) }
      guard ContainerMethods.dictNames.contains(name) else { return nil }
      return method(name, of: value) { (interpreter, arguments) throws(IngotError) in
        try ContainerMethods.call(name, dict, arguments, interpreter)
      }
    case .object(let object): return try object.attribute(name)
    case .int, .bool, .float: return numberAttribute(name, of: value)
    case .none: return nil
    }
  }

  private func method(
    _ name: String, of receiver: Value, _ body: @escaping FunctionObject.Body
  ) -> Value {
    .object(FunctionObject(name, receiver: receiver, body))
  }

  private func unsafe(_ name: String, _ value: Value) -> Value {
    .undefined("access to attribute '\(name)' of '\(value.typeName)' object is unsafe")
  }

  private func numberAttribute(_ name: String, of value: Value) -> Value? {
    let isFloat = if case .float = value { true } else { false }
    switch name {
    case "real": return value.integer.map(Value.int) ?? value
    case "imag": return isFloat ? .float(0) : .int(0)
    case "numerator": return value.integer.map(Value.int)
    case "denominator": return isFloat ? nil : .int(1)
    case "is_integer":
      guard case .float(let number) = value else { return nil }
      return method(name, of: value) { (_, _) throws(IngotError) in .bool(number == number.rounded()) }
    case "bit_length":
      guard let integer = value.integer else { return nil }
      return method(name, of: value) { (_, _) throws(IngotError) in
        .int(Int.bitWidth - integer.magnitude.leadingZeroBitCount)
      }
    default: return nil
    }
  }
}

extension Value {
  /// `value[start:stop:step]`.
  /// - Throws: `.template` for what cannot be sliced, or a step of zero.
  func sliced(
    _ start: Int?, _ stop: Int?, _ step: Int?, _ interpreter: Interpreter
  ) throws(IngotError) -> Value {
    if case .undefined(let undefined) = self { throw .python(undefined.why) }
    guard step != 0 else { throw .python("slice step cannot be zero") }
    func indices(_ length: Int) -> SliceIndices {
      SliceIndices(start: start, stop: stop, step: step, length: length)
    }
    switch self {
    case .string(let text):
      try interpreter.charge(bytes: text.bytes.count)
      return .string(text.sliced(indices(text.count)).markup(like: text))
    case .list(let list):
      let slice = indices(list.items.count)
      return try interpreter.list((0..<slice.count).map { list.items[slice.start + $0 * slice.step] })
    case .tuple(let list):
      let slice = indices(list.items.count)
      return try interpreter.tuple((0..<slice.count).map { list.items[slice.start + $0 * slice.step] })
    case .object(let object):
      if let range = object as? RangeObject { return .object(range.sliced(indices(range.slice.count))) }
      throw .python("'\(typeName)' object is not subscriptable")
    case .undefined, .none, .bool, .int, .float, .dict:
      throw .python("'\(typeName)' object cannot be sliced")
    }
  }
}
