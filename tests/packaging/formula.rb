# Plays the part of Homebrew that a formula with prebuilt archives uses.
#
#     ruby formula.rb FORMULA macos|linux arm|intel           prints what the formula says, as JSON
#     ruby formula.rb FORMULA macos|linux arm|intel PREFIX    installs the unpacked archive, which is
#                                                             the current folder, and runs its test
require "fileutils"
require "json"
require "pathname"

FORMULA, SYSTEM, CPU, PREFIX = ARGV

class Pathname
  def install(*names)
    mkpath
    names.each { |name| FileUtils.mv(name, self) }
  end

  def write_env_script(target, env)
    parent.mkpath
    settings = env.map { |name, value| "#{name}=\"#{value}\"" }.join(" ")
    write("#!/bin/bash\n#{settings} exec \"#{target}\" \"$@\"\n")
    chmod(0o755)
  end
end

class Formula
  FACTS = { depends_on: [] }

  class << self
    attr_reader :examination

    %i[desc homepage version license url sha256].each do |name|
      define_method(name) do |value|
        raise "#{name} is said twice" if FACTS.key?(name)

        FACTS[name] = value
      end
    end

    def depends_on(name)
      FACTS[:depends_on] << name
    end

    { on_macos: SYSTEM == "macos", on_linux: SYSTEM == "linux",
      on_arm: CPU == "arm", on_intel: CPU == "intel" }.each do |name, fits|
      define_method(name) { |&block| block.call if fits }
    end

    def test(&block)
      @examination = block
    end
  end

  def version
    FACTS[:version]
  end

  def bin
    Pathname(PREFIX) / "bin"
  end

  def libexec
    Pathname(PREFIX) / "libexec"
  end

  def shell_output(command)
    output = `#{command}`
    raise "#{command} failed" unless $?.success?

    output
  end

  def assert_match(expected, actual)
    raise "#{expected} is not in: #{actual}" unless actual.include?(expected)
  end
end

load FORMULA
if PREFIX
  wasp = Wasp.new
  wasp.install
  wasp.instance_eval(&Wasp.examination)
end
puts JSON.generate(Formula::FACTS)
