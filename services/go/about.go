package main

import (
	"runtime"
	"runtime/debug"
	"strings"
)

// About is the document of /about; the contract describes each member.
type About struct {
	Service      string            `json:"service"`
	Framework    string            `json:"framework"`
	Server       string            `json:"server"`
	Model        string            `json:"model"`
	Versions     map[string]string `json:"versions"`
	Workers      int               `json:"workers"`
	Threads      int               `json:"threads"`
	PoolSize     int               `json:"pool_size"`
	Slots        int               `json:"slots"`
	SlotsBoundBy string            `json:"slots_bound_by"`
	Fanout       string            `json:"fanout"`
	WebSocket    bool              `json:"websocket"`
}

// Describe says what this service is: one process, with WORKERS threads that run Go code.
func Describe(settings Settings) About {
	connections := settings.Workers * settings.PoolSize
	return About{
		Service: settings.Service, Framework: "net/http", Server: "net/http", Model: "goroutines",
		Versions: versions("github.com/jackc/pgx/v5"),
		Workers:  1, Threads: settings.Workers, PoolSize: connections,
		Slots: connections, SlotsBoundBy: "pool", Fanout: "at once", WebSocket: true,
	}
}

func versions(modules ...string) map[string]string {
	found := map[string]string{"go": strings.TrimPrefix(runtime.Version(), "go")}
	build, _ := debug.ReadBuildInfo()
	for _, dependency := range build.Deps {
		for _, module := range modules {
			if dependency.Path == module {
				found[module] = dependency.Version
			}
		}
	}
	return found
}
