internal import COnnxRuntime
internal import IngotCore

extension OrtRuntime {
  /// Throws what a status says; nil says that all went well.
  /// - Parameters:
  ///   - doing: what failed, as `load the model`.
  ///   - kind: the error's kind, unless the status is more precise.
  ///   - file: the model concerned; nil for the library.
  func check(
    _ status: OpaquePointer?, _ doing: String, _ kind: IngotError.Kind, file: String? = nil
  ) throws(IngotError) {
    if let failure = IngotError(api, status, doing, kind) { throw failure.inFile(file ?? libraryPath) }
  }
}

extension IngotError {
  /// What a status says, which is released; nil for success.
  init?(_ api: UnsafePointer<OrtApi>, _ status: OpaquePointer?, _ doing: String, _ kind: Kind) {
    guard let status else { return nil }
    defer { api.pointee.ReleaseStatus(status) }
    let message = api.pointee.GetErrorMessage(status).map { String(cString: $0) } ?? ""
    let trimmed = message.split(whereSeparator: \.isNewline).joined(separator: " ")
    let code = api.pointee.GetErrorCode(status)
    self.init(
      Self.precise(code) ?? kind,
      "ONNX Runtime cannot \(doing): \(trimmed.isEmpty ? "error \(code)" : trimmed)")
  }

  /// The kinds of OrtErrorCode that say more than the call they come from.
  private static func precise(_ code: Int32) -> Kind? {
    switch code {
    case 3: .io  // no such file
    case 7, 10: .format  // invalid protobuf, invalid graph
    case 9: .unsupported  // not implemented
    default: nil
    }
  }
}
