// A first server with net/http, as the yardstick for its service.
package main

import (
	"encoding/json"
	"log"
	"net/http"
	"os"
	"runtime"
	"strconv"
)

func answer(document any) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(document)
	}
}

func main() {
	threads, err := strconv.Atoi(os.Getenv("WORKERS"))
	if err != nil {
		log.Fatal("WORKERS: ", err)
	}
	runtime.GOMAXPROCS(threads)
	http.HandleFunc("GET /json", answer(struct {
		Message string `json:"message"`
	}{"Hello, World!"}))
	http.HandleFunc("GET /readyz", answer(struct {
		Status string `json:"status"`
	}{"ready"}))
	log.Fatal(http.ListenAndServe(os.Getenv("HOST")+":"+os.Getenv("PORT"), nil))
}
