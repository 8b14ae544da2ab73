package import Domain

/// What came of a build.
package struct BuildProduct: Hashable, Sendable {
    /// What went wrong, if anything.
    package var error: String?
    /// The end of what the package installer and the builder of images said.
    package var log: String
    /// The id of the image that was made, if one was.
    package var imageID: String?
    /// What kept it from an image that was wanted, but not needed.
    package var imageError: String?

    package init(error: String?, log: String, imageID: String? = nil, imageError: String? = nil) {
        self.error = error
        self.log = log
        self.imageID = imageID
        self.imageError = imageError
    }
}

extension AgentProcesses {
    /// Builds sources as a deploy of them would be built, which then finds everything there; and an image of them, where
    /// images are made.
    ///
    /// - Parameter image: the name that the image gets.
    package func build(_ document: JSONValue, image: String) async -> BuildProduct {
        // What is begun before would be taken for a remainder.
        _ = await cleaning.value()
        do throws(AgentRefusal) {
            let definition = try AgentDefinition(document: document)
            do throws(AgentRefusal) {
                // As agents are: where those are not run, this is refused as well.
                _ = try await sandbox.current()
                _ = try await bundles.bundle(definition, retries: true)
            } catch {
                return BuildProduct(error: error.description, log: (try? await bundles.buildLog(definition)) ?? "")
            }
            let product = BuildProduct(error: nil, log: try await bundles.buildLog(definition))
            return configuration.images.isOff ? product : await addImage(image, of: definition, to: product)
        } catch {
            return BuildProduct(error: error.description, log: "")
        }
    }

    /// The Dockerfile that an image of these sources is made by; `nil` when they cannot be an agent.
    package nonisolated func imageRecipe(_ document: JSONValue) -> String? {
        (try? AgentDefinition(document: document)).map { recipe($0).dockerfile }
    }

    private func addImage(
        _ name: String, of definition: AgentDefinition, to product: BuildProduct
    ) async -> BuildProduct {
        var product = product
        let made: Result<String, AgentRefusal>
        switch await imageBuilders.current() {
        case .failure(let refusal): made = .failure(refusal)
        case .success(let builder):
            let (staging, python): (String, PythonInterpreter)
            do throws(AgentRefusal) {
                python = try await bundles.interpreter()
                staging = try await bundles.beginImage()
            } catch {
                return BuildProduct(error: error.description, log: product.log)
            }
            let build = ImageBuild(
                builder: builder, options: configuration.images.options, staging: staging,
                recipe: recipe(definition), sources: definition.sources, tag: name,
                timeout: configuration.buildTimeout,
                network: .init(directory: directory, python: python, hosts: configuration.builds.hosts, client: client))
            let log: [UInt8]
            (made, log) = await build.run()
            await bundles.endImage(staging)
            product.log += String(decoding: log, as: UTF8.self)
        }
        switch made {
        case .success(let id): product.imageID = id
        case .failure(let refusal) where configuration.images.isRequired: product.error = refusal.description
        case .failure(let refusal): product.imageError = refusal.description
        }
        return product
    }

    private nonisolated func recipe(_ definition: AgentDefinition) -> ImageRecipe {
        ImageRecipe(definition, base: configuration.images.base, runtime: configuration.runtime)
    }
}
