public import Generation
public import IngotCore
public import ONNXRuntime

extension ONNXModel {
  /// Opens an export for sequences of so many tokens, or for as many as its shapes hold, where those are fewer.
  /// - Throws: as `init`.
  public static func open(
    directory: String, runtime: OrtRuntime, tokens: Int, threads: Int? = nil
  ) throws(IngotError) -> ONNXModel {
    do {
      return try ONNXModel(
        directory: directory, runtime: runtime, options: .init(contextLength: tokens, threads: threads))
    } catch {
      // Too long for it: what its shapes fix shows only in the open model.
      guard error.kind == .argument else { throw error }
      return try ONNXModel(directory: directory, runtime: runtime, options: .init(threads: threads))
    }
  }
}
