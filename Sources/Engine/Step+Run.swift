internal import CKernels
internal import IngotCore

extension Plan {
  /// Runs all steps in order.
  /// - Parameter tableOf: per token, which rotary table its sequence uses; nil: the first.
  func run(_ sizes: Sizes, _ runtime: Runtime, tableOf: UnsafePointer<Int32>?) {
    withUnsafePointer(to: &runtime.context) { context in
      if let profiler = runtime.profiler {
        let lengths = ForwardLengths(runtime.batch.pointee)
        profiler.run(self, sizes, lengths) { $0.run(sizes, runtime, context, tableOf) }
      } else {
        for step in steps { step.run(sizes, runtime, context, tableOf) }
      }
    }
  }
}

extension Step {
  fileprivate func run(
    _ sizes: Sizes, _ runtime: Runtime, _ context: UnsafePointer<ingot_context>,
    _ tableOf: UnsafePointer<Int32>?
  ) {
    switch self {
    case .embedding(let step):
      ingot_embedding(
        context, step.kind, step.block, step.table, Int64(step.rowBytes), Int64(step.width), step.ids,
        Int64(step.count.value(sizes)), step.y, Int64(step.width))
    case .matmul(var step):
      step.arguments.m = Int64(step.rows.value(sizes))
      ingot_matmul(context, &step.arguments)
    case .gemm(let step): step.run(sizes, context)
    case .norm(let step): step.run(sizes, context)
    case .rope(let step):
      var call = step.arguments(runtime, tableOf)
      call.tokens = Int64(step.tokens.value(sizes))
      ingot_rope(context, &call)
    case .attention(let step): step.run(sizes, runtime, context, tableOf)
    case .unary(let function, let from, let to, let count):
      ingot_unary_op(context, function, from, to, Int64(count.product(sizes)))
    case .logicalNot(let from, let to, let count):
      for index in 0..<count.product(sizes) { to[index] = from[index] == 0 ? 1 : 0 }
    case .binary(let step): step.run(sizes, context)
    case .gated(let step):
      ingot_gated(
        context, step.activation, Int64(step.rows.product(sizes)), Int64(step.width), step.gate,
        Int64(step.gateStride), step.up, Int64(step.upStride), step.y, Int64(step.width))
    case .softmax(let from, let to, let rows, let width):
      ingot_softmax(context, Int64(rows.product(sizes)), Int64(width.value(sizes)), from, to)
    case .reduce(let function, let from, let to, let extents):
      ingot_reduce(
        context, function, Int64(extents.outer.product(sizes)), Int64(extents.axis.value(sizes)),
        Int64(extents.inner.product(sizes)), from, to)
    case .copy(let step): step.run(sizes, context)
    case .gatherRows(let step): step.run(sizes)
    case .sort(let step): step.run(sizes)
    case .convert(let step): step.run(sizes)
    }
  }
}

extension NormStep {
  fileprivate func run(_ sizes: Sizes, _ context: UnsafePointer<ingot_context>) {
    var call = arguments
    call.rows = Int64(rows.value(sizes)) * call.heads
    if isLayerNorm { ingot_layer_norm(context, &call) } else { ingot_rms_norm(context, &call) }
  }
}

extension RopeStep {
  /// The kernel's arguments with the tables of this forward.
  fileprivate func arguments(_ runtime: Runtime, _ tableOf: UnsafePointer<Int32>?) -> ingot_rope_arguments {
    var arguments = self.arguments
    arguments.tables = runtime.rotary.pointers(table)
    arguments.table_of = tableOf
    return arguments
  }
}

extension HeadSteps {
  fileprivate func arguments(_ runtime: Runtime, _ tableOf: UnsafePointer<Int32>?) -> ingot_head_steps {
    var steps = ingot_head_steps()
    if let norm { (steps.norm, steps.norm_is_layer) = (norm.arguments, norm.isLayerNorm ? 1 : 0) }
    if let rope { steps.rope = rope.arguments(runtime, tableOf) }
    return steps
  }
}

extension AttentionStep {
  fileprivate func run(
    _ sizes: Sizes, _ runtime: Runtime, _ context: UnsafePointer<ingot_context>,
    _ tableOf: UnsafePointer<Int32>?
  ) {
    var cache = self.cache
    var queries = self.queries.arguments(runtime, tableOf)
    var keys = self.keys.arguments(runtime, tableOf)
    var arguments = self.arguments
    let count = tokens.value(sizes)
    cache.tokens = Int64(count)
    if let layer, let pages = runtime.cache?.base(layer: layer) {
      cache.pages = pages
      cache.slots = runtime.batch.pointee.slots
      arguments.pages = UnsafeRawPointer(pages)
      arguments.batch = UnsafePointer(runtime.batch)
      ingot_write_heads(context, &queries, &keys, &cache)
      ingot_attention(context, &arguments)
    } else {
      var own = runtime.ownBatch(tokens: count)
      cache.slots = own.slots
      ingot_write_heads(context, &queries, &keys, &cache)
      withUnsafePointer(to: &own) {
        arguments.batch = $0
        ingot_attention(context, &arguments)
      }
    }
  }
}

extension BinaryStep {
  fileprivate func run(_ sizes: Sizes, _ context: UnsafePointer<ingot_context>) {
    let rank = max(dims.count, 1)
    withUnsafeTemporaryAllocation(of: Int64.self, capacity: rank * 3) { memory in
      guard let extents = memory.baseAddress else { return }
      let (aStrides, bStrides) = (extents + rank, extents + 2 * rank)
      // A scalar is one dim of extent 1.
      (extents[0], aStrides[0], bStrides[0]) = (1, 0, 0)
      var (a, b) = (Int64(1), Int64(1))
      for axis in dims.indices.reversed() {
        let extent = Int64(dims[axis].value(sizes))
        extents[axis] = extent
        aStrides[axis] = aHas[axis] ? a : 0
        bStrides[axis] = bHas[axis] ? b : 0
        if aHas[axis] { a *= extent }
        if bHas[axis] { b *= extent }
      }
      ingot_binary_op(context, function, Int32(rank), extents, self.a, aStrides, self.b, bStrides, y)
    }
  }
}

extension GemmStep {
  fileprivate func run(_ sizes: Sizes, _ context: UnsafePointer<ingot_context>) {
    var call = arguments
    let (m, n, k) = (self.m.value(sizes), self.n.value(sizes), self.k.value(sizes))
    (call.batch, call.m, call.n, call.k) = (1, Int64(m), Int64(n), Int64(k))
    (call.a_row, call.a_column) = transposeA ? (1, Int64(m)) : (Int64(k), 1)
    (call.b_row, call.b_column) = transposeB ? (1, Int64(k)) : (Int64(n), 1)
    call.y_row = Int64(n)
    let extents = batch.map { $0.value(sizes) }
    for item in 0..<extents.reduce(1, *) {
      // The item's coordinates, of which each operand takes those it has.
      var (rest, aItem, bItem, aSize, bSize) = (item, 0, 0, 1, 1)
      for axis in extents.indices.reversed() {
        let coordinate = rest % extents[axis]
        rest /= extents[axis]
        aItem += coordinate * aSize * aHas[axis]
        bItem += coordinate * bSize * bHas[axis]
        if aHas[axis] == 1 { aSize *= extents[axis] }
        if bHas[axis] == 1 { bSize *= extents[axis] }
      }
      call.a = arguments.a + aItem * m * k
      call.b = arguments.b + bItem * k * n
      call.y = arguments.y + item * m * n
      ingot_gemm(context, &call)
    }
  }
}

extension CopyStep {
  fileprivate func run(_ sizes: Sizes, _ context: UnsafePointer<ingot_context>) {
    let rank = max(dims.count, 1)
    withUnsafeTemporaryAllocation(of: Int64.self, capacity: rank * 3) { memory in
      guard let extents = memory.baseAddress else { return }
      let (from, to) = (extents + rank, extents + 2 * rank)
      (extents[0], from[0], to[0]) = (1, 1, 1)
      for axis in dims.indices {
        extents[axis] = Int64(dims[axis].value(sizes))
        from[axis] = Int64(xStrides[axis].value(sizes))
        to[axis] = Int64(yStrides[axis].value(sizes))
      }
      let width = Int(elementBytes)
      ingot_copy_strided(
        context, elementBytes, Int32(rank), extents, x + xOffset.value(sizes) * width, from,
        y + yOffset.value(sizes) * width, to)
    }
  }
}

extension GatherStep {
  fileprivate func run(_ sizes: Sizes) {
    let (outer, axis, inner, count) =
      (
        self.outer.product(sizes), self.axis.value(sizes), self.inner.product(sizes),
        self.count.product(sizes)
      )
    let bytes = inner * elementBytes
    for block in 0..<outer {
      for position in 0..<count {
        let raw =
          indexIsWide
          ? Int(indices.load(fromByteOffset: position * 8, as: Int64.self))
          : Int(indices.load(fromByteOffset: position * 4, as: Int32.self))
        // Negative indices count from the end; those out of range are refused before the plan runs, or, when
        // computed, read the nearest element rather than memory that is not theirs.
        let index = min(max(raw < 0 ? raw + axis : raw, 0), max(axis - 1, 0))
        (y + (block * count + position) * bytes).copyMemory(
          from: x + (block * axis + index) * bytes, byteCount: bytes)
      }
    }
  }
}

extension SortStep {
  fileprivate func run(_ sizes: Sizes) {
    let (width, kept) = (self.width.value(sizes), self.kept.value(sizes))
    for row in 0..<rows.product(sizes) {
      let x = self.x + row * width
      // Ties keep their order, as in torch with stable = true.
      let order = (0..<width).sorted {
        x[$0] == x[$1] ? $0 < $1 : (x[$0] > x[$1]) == descending
      }
      for position in 0..<kept {
        values[row * kept + position] = x[order[position]]
        indices[row * kept + position] = Int64(order[position])
      }
    }
  }
}
