import Foundation
import IngotCore
import ONNXRuntime

/// The library, if this machine has one: without it the tests that run models are skipped.
let library: OrtRuntime? = try? OrtRuntime.load()

/// The path of a model made by Scripts/make_onnxruntime_fixtures.py.
func fixture(_ name: String) -> String {
  Bundle.module.resourceURL!.appendingPathComponent("Fixtures/\(name)").path
}

func session(_ name: String, _ options: OrtSession.Options = .init()) throws -> OrtSession {
  try OrtSession(library!, path: fixture(name), options: options)
}
