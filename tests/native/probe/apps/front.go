// A reverse proxy to UPSTREAM that passes on at most HOLDS requests at once; the rest wait in it.
package main

import (
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strconv"
)

func main() {
	upstream, err := url.Parse(os.Getenv("UPSTREAM"))
	if err != nil {
		log.Fatal(err)
	}
	holds, err := strconv.Atoi(os.Getenv("HOLDS"))
	if err != nil {
		log.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(upstream)
	proxy.Transport = &http.Transport{MaxIdleConnsPerHost: holds}
	places := make(chan struct{}, holds)
	held := func(answer http.ResponseWriter, request *http.Request) {
		places <- struct{}{}
		defer func() { <-places }()
		proxy.ServeHTTP(answer, request)
	}
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[1], http.HandlerFunc(held)))
}
