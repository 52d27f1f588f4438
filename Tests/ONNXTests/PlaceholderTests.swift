import IngotCore
import Testing
